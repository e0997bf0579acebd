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
