package plan

// byteaFunctions: encode and decode know the formats hex and base64.
func byteaFunctions() []*Function {
	return []*Function{
		operator("||", bytea, bytea, bytea),
		scalar("md5", text, bytea), scalar("sha256", text, bytea),
		scalar("length", bigint, bytea), scalar("octet_length", bigint, bytea), // in bytes
		scalar("encode", text, bytea, text), scalar("decode", bytea, text, text),
	}
}
