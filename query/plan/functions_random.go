package plan

// randomFunctions give another value for each row. setseed makes random() give the same numbers whenever its statement runs on one
// processor, and is NULL itself.
func randomFunctions() []*Function {
	out := []*Function{scalar("random", double), scalar("gen_random_uuid", uuid), scalar("setseed", text, double)}
	for _, f := range out {
		f.Strict, f.Volatile = false, true
	}
	return out
}
