package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// field is one option: its key, its description and where it is kept.
type field struct {
	key  string
	help string
	at   any // pointer into a Config
}

// fields lists the options of c in the order they are declared.
func (c *Config) fields() []field {
	v := reflect.ValueOf(c).Elem()
	out := make([]field, v.NumField())
	for i := range out {
		tag := v.Type().Field(i).Tag
		out[i] = field{key: tag.Get("koanf"), help: tag.Get("help"), at: v.Field(i).Addr().Interface()}
	}
	return out
}

// Keys lists the names of all options in the order they are declared.
func Keys() []string {
	fields := (&Config{}).fields()
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// Value is the text of the option with this key, as a source would write it; false if there is no such key.
func (c Config) Value(key string) (string, bool) {
	for _, f := range c.fields() {
		if f.key == key {
			return f.text(), true
		}
	}
	return "", false
}

// Help describes the option with this key; empty if there is no such key.
func Help(key string) string {
	for _, f := range (&Config{}).fields() {
		if f.key == key {
			return f.help
		}
	}
	return ""
}

// set reads a source's value: text from the environment and the flags, a scalar of YAML from the file.
func (f field) set(value any) error {
	switch value.(type) {
	case string, bool, int, int64, uint64, float64:
	default:
		return fmt.Errorf("the value must be a single word or number")
	}
	text := strings.TrimSpace(fmt.Sprint(value))
	switch at := f.at.(type) {
	case *string:
		*at = text
	case *int64:
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		*at = n
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration; write it as in 90s, 5m or 1h30m", text)
		}
		*at = d
	case encoding.TextUnmarshaler:
		if err := at.UnmarshalText([]byte(text)); err != nil {
			return err
		}
	default:
		return fmt.Errorf("option %s has a type that cannot be read: %T", f.key, f.at)
	}
	return nil
}

// text is the value in the form that set reads back.
func (f field) text() string {
	switch at := f.at.(type) {
	case *string:
		return *at
	case *int64:
		return strconv.FormatInt(*at, 10)
	case *time.Duration:
		return shortDuration(*at)
	case encoding.TextMarshaler:
		text, err := at.MarshalText()
		if err != nil {
			return err.Error()
		}
		if f.key == "log_level" {
			return strings.ToLower(string(text))
		}
		return string(text)
	default:
		return fmt.Sprint(f.at)
	}
}

// shortDuration drops the zero units that time.Duration prints: 1m, not 1m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
