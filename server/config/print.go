package config

import (
	"bufio"
	"fmt"
	"io"

	"github.com/knadh/koanf/parsers/yaml"
)

// Print writes the configuration as a commented YAML file that Load reads back.
func (c Config) Print(w io.Writer) error {
	out := bufio.NewWriter(w)
	for i, f := range c.fields() {
		if i > 0 {
			fmt.Fprintln(out)
		}
		value, err := yaml.Parser().Marshal(map[string]any{f.key: f.plain()})
		if err != nil {
			return fmt.Errorf("print option %s: %w", f.key, err)
		}
		fmt.Fprintf(out, "# %s\n%s", f.help, value)
	}
	return out.Flush()
}

// plain keeps whole numbers as numbers, so that the file does not quote them.
func (f field) plain() any {
	if n, ok := f.at.(*int64); ok {
		return *n
	}
	return f.text()
}
