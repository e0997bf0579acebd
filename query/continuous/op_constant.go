package continuous

import (
	"context"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// constantNode is a leaf that reads nothing: all its rows come with the first step.
type constantNode struct {
	base
	plan plan.Node
}

func (c *compiler) compileConstant(n plan.Node) (node, error) {
	return &constantNode{base: base{cols: n.Columns(), tr: traits{appendOnly: true}}, plan: n}, nil
}

func (n *constantNode) describe() string { return "constant " + firstLine(n.plan) }

// form implements keeper.
func (n *constantNode) form(shapes) (f form, whole bool) {
	return form{Kind: "constant", Version: 1, Computes: []string{shorter(tree(n.plan))}}, false
}

func (n *constantNode) start(*Machine, []operator) operator { return &constantOp{node: n} }

type constantOp struct {
	node *constantNode
	done bool
}

func (o *constantOp) step(ctx context.Context, _ *stepping) (Delta, error) {
	if o.done {
		return noChange(o.node.cols), nil
	}
	o.done = true
	return answer(ctx, o.node.plan, nil)
}

func (o *constantOp) save(w *stateWriter) error {
	w.flag(o.done)
	return nil
}

func (o *constantOp) load(r *stateReader) (err error) {
	o.done, err = r.flag()
	return err
}

func (o *constantOp) bytes() int64 { return 0 }

// answer runs a plan over tables in memory, by the names of its scans.
func answer(ctx context.Context, n plan.Node, tables tables) (Delta, error) {
	result, err := exec.New(tables, nil, exec.Options{Workers: 1}).Run(ctx, n)
	if err != nil {
		return Delta{}, err
	}
	out, err := readAll(result, n.Columns())
	return out, errors.Join(err, result.Close())
}

func readAll(result *exec.Result, columns []plan.Column) (Delta, error) {
	var parts []Delta
	for {
		batch, err := result.Next()
		if errors.Is(err, io.EOF) {
			return sum(columns, parts...)
		}
		if err != nil {
			return Delta{}, err
		}
		parts = append(parts, Delta{Columns: typed(batch.Columns, columns), Rows: batch.Rows})
	}
}
