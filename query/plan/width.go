package plan

// Width is the number of a node's output columns. Over a tree of many joins it costs far less than Columns, which makes a list of them at
// every level.
func Width(n Node) int {
	switch n := n.(type) {
	case *Scan:
		return len(n.Fields)
	case *Filter:
		return Width(n.Input)
	case *Project:
		return len(n.Exprs)
	case *Sort:
		return Width(n.Input)
	case *Limit:
		return Width(n.Input)
	case *Join:
		if n.Kind == MarkJoin {
			return Width(n.Left) + 1
		}
		return Width(n.Left) + Width(n.Right)
	default:
		return len(n.Columns())
	}
}
