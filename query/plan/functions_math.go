package plan

// mathFunctions beyond arithmetic. Where the result is not a number of the type, the value is an error: the logarithm of
// zero, the square root of a negative number, an overflow. NaN gives NaN.
func mathFunctions() []*Function {
	var out []*Function
	for _, name := range []string{
		"exp", "ln", "log", "log2", "cbrt", "degrees", "radians",
		"sin", "cos", "tan", "cot", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
		"sind", "cosd", "tand", "asind", "acosd", "atand", // in degrees
		"sign", "trunc",
	} {
		out = append(out, scalar(name, double, double))
	}
	for _, name := range []string{"isnan", "isinf", "isfinite"} {
		out = append(out, scalar(name, boolean, double))
	}
	for _, op := range []string{"&", "|", "#", "<<", ">>"} { // # is exclusive or; shifts take their count modulo 64
		out = append(out, operator(op, bigint, bigint, bigint))
	}
	return append(out,
		operator("~", bigint, bigint),
		scalar("sign", bigint, bigint),
		scalar("trunc", double, double, bigint),
		scalar("log", double, double, double), // the base first
		scalar("power", double, double, double),
		scalar("atan2", double, double, double),
		scalar("pi", double),
		scalar("gcd", bigint, bigint, bigint), scalar("lcm", bigint, bigint, bigint),
		scalar("factorial", bigint, bigint), scalar("bit_count", bigint, bigint),
		scalar("width_bucket", bigint, double, double, double, bigint),
	)
}
