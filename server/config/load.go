package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// EnvPrefix begins the name of every environment variable that sets an option.
const EnvPrefix = "TIDEMARK_"

// Sources names where options come from, beside the defaults.
type Sources struct {
	// File is the path of a YAML file; empty means none.
	File string
	// Environ holds NAME=value pairs as os.Environ returns them. A variable that is set to nothing counts as unset.
	Environ []string
	// Flags holds options given on the command line by key, as text.
	Flags map[string]string
}

// Load merges the sources over the defaults and validates the result. The error joins every fault found and says which
// source each came from; the Config is valid only if the error is nil.
func Load(src Sources) (Config, error) {
	m := merger{values: koanf.New("."), origin: map[string]string{}}
	if src.File != "" {
		m.addFile(src.File)
	}
	m.addEnviron(src.Environ)
	m.addFlags(src.Flags)

	cfg := Default()
	for _, f := range cfg.fields() {
		if !m.values.Exists(f.key) {
			continue
		}
		if err := f.set(m.values.Get(f.key)); err != nil {
			m.fail("%s: %w", m.origin[f.key], err)
		}
	}
	// Values that could not be read would only be judged by their defaults, so they are reported before anything else.
	if err := errors.Join(m.faults...); err != nil {
		return Config{}, err
	}
	if err := cfg.Validate(); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// merger collects the layers, and remembers for each key the last layer that set it.
type merger struct {
	values *koanf.Koanf
	origin map[string]string
	faults []error
}

func (m *merger) fail(format string, args ...any) {
	m.faults = append(m.faults, fmt.Errorf(format, args...))
}

func (m *merger) addFile(path string) {
	layer := koanf.New(".")
	if err := layer.Load(file.Provider(path), yaml.Parser()); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			m.fail("configuration file %s does not exist", path)
			return
		}
		m.fail("read configuration file %s: %w", path, oneLine(err))
		return
	}
	for _, key := range sortedKeys(layer) {
		// A map under a known key is that option's fault, reported when its value is read.
		parent, _, _ := strings.Cut(key, ".")
		if !slices.Contains(Keys(), parent) {
			m.fail("configuration file %s: unknown key %q%s", path, key, suggestion(key))
		}
	}
	m.merge(layer, func(key string) string { return fmt.Sprintf("configuration file %s: %s", path, key) })
}

func (m *merger) addEnviron(environ []string) {
	layer := koanf.New(".")
	known := Keys()
	provider := env.Provider("", env.Opt{
		Prefix:      EnvPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key := strings.ToLower(strings.TrimPrefix(name, EnvPrefix))
			// Other programs of the family have variables of their own (TIDEMARK_URL), so unknown ones are left alone.
			if value == "" || !slices.Contains(known, key) {
				return "", nil
			}
			return key, value
		},
	})
	if err := layer.Load(provider, nil); err != nil {
		m.fail("read the environment: %w", err)
		return
	}
	m.merge(layer, envName)
}

func (m *merger) addFlags(flags map[string]string) {
	layer := koanf.New(".")
	given := make(map[string]any, len(flags))
	for key, value := range flags {
		given[key] = value
	}
	if err := layer.Load(confmap.Provider(given, ""), nil); err != nil {
		m.fail("read the flags: %w", err)
		return
	}
	m.merge(layer, flagName)
}

func (m *merger) merge(layer *koanf.Koanf, origin func(key string) string) {
	for _, f := range (&Config{}).fields() {
		if layer.Exists(f.key) {
			m.origin[f.key] = origin(f.key)
		}
	}
	if err := m.values.Merge(layer); err != nil {
		m.fail("merge options: %w", err)
	}
}

func envName(key string) string { return EnvPrefix + strings.ToUpper(key) }

func flagName(key string) string { return "--" + strings.ReplaceAll(key, "_", "-") }

// oneLine keeps a parser's message of several lines readable in one.
func oneLine(err error) error { return errors.New(strings.Join(strings.Fields(err.Error()), " ")) }

func sortedKeys(layer *koanf.Koanf) []string {
	keys := layer.Keys()
	slices.Sort(keys)
	return keys
}

// suggestion catches the two likely slips: the flag's spelling and the wrong case.
func suggestion(key string) string {
	guess := strings.ToLower(strings.ReplaceAll(key, "-", "_"))
	if slices.Contains(Keys(), guess) {
		return fmt.Sprintf("; did you mean %q?", guess)
	}
	return "; known keys are " + strings.Join(Keys(), ", ")
}
