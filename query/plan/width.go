package plan

// Width is the number of a node's output columns. Over a tree of many joins it costs far less than Columns, which makes a list of them at
// every level.
func Width(n Node) int {
	switch n := n.(type) {
	case *Scan:
		return len(n.Fields) + len(n.Members)
	case *Filter:
		return Width(n.Input)
	case *Project:
		return len(n.Exprs)
	case *Sort:
		return Width(n.Input)
	case *Limit:
		return Width(n.Input)
	case *Aggregate:
		return len(n.Groups) + len(n.Aggregates)
	case *Window:
		return Width(n.Input) + len(n.Calls)
	case *FirstRows:
		return Width(n.Input)
	case *Join:
		return joinedWidth(n.Left, n.Right, n.Kind)
	case *Apply:
		return joinedWidth(n.Left, n.Right, n.Kind)
	default:
		return len(n.Columns())
	}
}

func joinedWidth(left, right Node, kind JoinKind) int {
	if kind == MarkJoin {
		return Width(left) + 1
	}
	return Width(left) + Width(right)
}
