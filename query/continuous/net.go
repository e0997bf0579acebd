package continuous

// Net is what changes that followed each other come to, in the form of one step: no row is in it twice, and where the program has a
// key, the row that goes comes before the one that takes its place.
func (p *Program) Net(changes ...Delta) (Delta, error) {
	if len(changes) == 1 {
		return changes[0], nil // a step's own are in that form
	}
	columns := p.root.columns()
	all, err := sum(columns, changes...)
	if err != nil {
		return Delta{}, err
	}
	return p.replacing(consolidate(all)), nil
}

// Stateless reports whether the program keeps nothing between steps: each step's change then depends on the step alone, as long as the
// machine has no Fault.
func (p *Program) Stateless() bool {
	for _, op := range p.Start().operators {
		if _, ok := op.(interface{ keepsNothing() }); !ok {
			return false
		}
	}
	return true
}

func (stateless) keepsNothing() {}

// keepsNothing leaves aside rows that could not be computed: while there is one, the machine has a Fault.
func (faults) keepsNothing() {}
