package api

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

func TestParametersThatAreNotKnownAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		query  string
		known  []string
		detail string
		hint   string
	}{
		{"", none, "", ""},
		{"refresh=true&x", nil, "", ""},
		{"format=csv&null=a&null=b", ingestParameters(), "", ""},
		{"fromat=csv", []string{"format", "time"}, `there is no parameter "fromat"`, "did you mean format? There are format, time"},
		{"Format=csv", []string{"format"}, `there is no parameter "Format"`, "did you mean format? There are format"},
		{"wait=1s&pretty", []string{"wait"}, `there is no parameter "pretty"`, "there are wait"},
		{"limit=5", none, `there is no parameter "limit"`, "this path takes none"},
		{"a=1;b=2", none, "the query of the address cannot be read: invalid semicolon separator in query", "a semicolon is written as %3B"},
	} {
		err := checkParameters(test.query, test.known)
		if test.detail == "" {
			require.NoError(t, err, test.query)
			continue
		}
		var fault *event.Error
		require.ErrorAs(t, err, &fault, test.query)
		require.Equal(t, event.CodeBadRequest, fault.Code)
		require.Equal(t, test.detail, fault.Detail)
		require.Equal(t, test.hint, fault.Hint)
	}
}
