package plan

// byteaFunctions: encode and decode know the formats hex and base64.
func byteaFunctions() []*Function {
	return []*Function{
		operator("||", bytea, bytea, bytea),
		scalar("length", bigint, bytea), scalar("octet_length", bigint, bytea), // in bytes
		scalar("encode", text, bytea, text), scalar("decode", bytea, text, text),
	}
}
