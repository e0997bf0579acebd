package plan

// byteaFunctions: encode and decode know the formats hex and base64, convert_to and convert_from the encoding UTF8. Places in bytes count
// from 1 for texts of them and from 0 for single bytes and bits, as in PostgreSQL; the bits of a byte count from its lowest.
func byteaFunctions() []*Function {
	return []*Function{
		operator("||", bytea, bytea, bytea),
		scalar("md5", text, bytea), scalar("sha256", text, bytea),
		scalar("length", bigint, bytea), scalar("octet_length", bigint, bytea), // in bytes
		scalar("encode", text, bytea, text), scalar("decode", bytea, text, text),
		scalar("convert_to", bytea, text, text), scalar("convert_from", text, bytea, text),
		scalar("bit_length", bigint, bytea), scalar("bit_count", bigint, bytea),
		scalar("substr", bytea, bytea, bigint), scalar("substr", bytea, bytea, bigint, bigint),
		scalar("strpos", bigint, bytea, bytea),
		scalar("overlay", bytea, bytea, bytea, bigint), scalar("overlay", bytea, bytea, bytea, bigint, bigint),
		scalar("get_byte", bigint, bytea, bigint), scalar("set_byte", bytea, bytea, bigint, bigint),
		scalar("get_bit", bigint, bytea, bigint), scalar("set_bit", bytea, bytea, bigint, bigint),
	}
}
