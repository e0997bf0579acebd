package record

// Sum is the checksum of the end of a body, where whoever encodes the body has it already: CRC-32C of its last Bytes bytes. The zero Sum says nothing.
type Sum struct {
	CRC   uint32
	Bytes int
}

// leastCombined is from how many bytes on it takes less time to combine checksums than to go through the bytes again, which is about a microsecond.
const leastCombined = 16 << 10

// reversed is the polynomial of CRC-32C, its highest coefficient in the lowest bit, as checksums have theirs.
const reversed = 0x82f63b78

// powers are x to the power of 1, 2, 4, 8 and so on, modulo the polynomial.
var powers = func() (out [32]uint32) {
	out[0] = 1 << 30
	for i := range out[1:] {
		out[i+1] = multiply(out[i], out[i])
	}
	return out
}()

// multiply multiplies two polynomials over GF(2), modulo that of CRC-32C.
func multiply(a, b uint32) (product uint32) {
	for bit := uint32(1) << 31; bit != 0; bit >>= 1 {
		if b&bit != 0 {
			product ^= a
		}
		a = a>>1 ^ reversed&-(a&1)
	}
	return product
}

// combine gives the checksum of some bytes with the checksum first, followed by those of last: the former shifted by as many bits as the latter
// have, plus the latter (Adler, crc32_combine of zlib).
func combine(first uint32, last Sum) uint32 {
	for n, power := last.Bytes, 3; n > 0; n, power = n>>1, power+1 {
		if n&1 != 0 {
			first = multiply(first, powers[power])
		}
	}
	return first ^ last.CRC
}
