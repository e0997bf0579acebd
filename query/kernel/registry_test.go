package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryScalarFunctionIsImplemented(t *testing.T) {
	t.Parallel()
	wanted := map[string]bool{}
	for _, f := range signatures() {
		wanted[f.Signature()] = true
		impl, ok := functions[f.Signature()]
		require.True(t, ok, "%s has no implementation", f.Signature())
		require.Equal(t, f.Strict, impl.strict != nil, "%s: strict here and in the plan must agree", f.Signature())
		require.NotEqual(t, impl.strict != nil, impl.lax != nil, "%s has exactly one implementation", f.Signature())
	}
	for signature := range functions {
		require.True(t, wanted[signature], "%s is implemented but not declared", signature)
	}
}
