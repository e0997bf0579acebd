package config

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tidemark.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	require.NoError(t, Default().Validate())
	cfg, err := Load(Sources{})
	require.NoError(t, err)
	require.Equal(t, Default(), cfg)
}

func TestLaterSourcesOverride(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "seal_rows: 10\nmax_rows: 11\nseal_age: 90s\nlog_level: debug\nquery_memory: 512MiB\n")
	cfg, err := Load(Sources{
		File:    path,
		Environ: []string{"TIDEMARK_MAX_ROWS=21", "TIDEMARK_SEAL_AGE=2m", "TIDEMARK_URL=http://x", "TIDEMARK_DATA=", "MAX_ROWS=5"},
		Flags:   map[string]string{"seal_age": "3m"},
	})
	require.NoError(t, err)
	want := Default()
	want.SealRows, want.MaxRows, want.SealAge = 10, 21, 3*time.Minute
	want.LogLevel, want.QueryMemory = slog.LevelDebug, 512*mebibyte
	require.Equal(t, want, cfg)
}

func TestFileFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown":  {"colour: red\n", `unknown key "colour"; known keys are data, listen,`},
		"dashes":   {"seal-rows: 5\n", `unknown key "seal-rows"; did you mean "seal_rows"?`},
		"nested":   {"seal:\n  rows: 5\n", `unknown key "seal.rows"`},
		"map":      {"data:\n  dir: x\n", "data: the value must be a single word or number"},
		"list":     {"data: [a, b]\n", "data: the value must be a single word or number"},
		"not yaml": {"a: b: c\n", "read configuration file"},
		"number":   {"seal_rows: many\n", `seal_rows: "many" is not a whole number`},
		"fraction": {"seal_rows: 1.5\n", `seal_rows: "1.5" is not a whole number`},
		"duration": {"seal_age: 5\n", `seal_age: "5" is not a duration`},
		"size":     {"seal_bytes: 3 bananas\n", `seal_bytes: "3 bananas" is not a size`},
		"level":    {"log_level: loud\n", `log_level:`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(Sources{File: writeFile(t, c.text)})
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
	_, err := Load(Sources{File: filepath.Join(t.TempDir(), "none.yaml")})
	require.ErrorContains(t, err, "none.yaml does not exist")
}

func TestEveryFaultIsReportedWithItsSource(t *testing.T) {
	t.Parallel()
	_, err := Load(Sources{
		File:    writeFile(t, "seal_rows: x\n"),
		Environ: []string{"TIDEMARK_SEAL_AGE=y"},
		Flags:   map[string]string{"max_rows": "z"},
	})
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], "tidemark.yaml: seal_rows")
	require.Contains(t, lines[1], "TIDEMARK_SEAL_AGE")
	require.Contains(t, lines[2], "--max-rows")
}

func TestValidateReportsEveryFault(t *testing.T) {
	t.Parallel()
	bad := Config{
		Data: " ", Listen: "0.0.0.0:1", AdminListen: "here", QueryTimeout: -1, ArchiveAfter: -1, QueryLog: -1, SlowQuery: -1, LogFormat: "xml",
		Memory: 1, SpillSpace: -1, ScrubRate: -1, TimerSlack: -1,
	}
	err := bad.Validate()
	require.Error(t, err)
	for i, f := range bad.fields() {
		if f.key == "log_level" {
			continue // every level is a valid one
		}
		require.Contains(t, err.Error(), f.key+": ", "field %d", i)
	}
}

func TestListenersStayOnLoopback(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"127.0.0.1:0", "127.8.9.1:7373", "[::1]:7373", "localhost:80", "LocalHost:80", "[::ffff:127.0.0.1]:1"} {
		require.NoError(t, checkLoopback("listen", ok), ok)
	}
	for _, remote := range []string{":7373", "0.0.0.0:7373", "192.168.1.4:7373", "[::]:7373", "example.org:7373", "[::ffff:10.0.0.1]:1"} {
		require.ErrorContains(t, checkLoopback("listen", remote), "needs tokens and TLS", remote)
	}
	for _, odd := range []string{"", "7373", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", "127.0.0.1:-1"} {
		require.ErrorContains(t, checkLoopback("listen", odd), "is not a", odd)
	}
	same := Default()
	same.AdminListen = same.Listen
	require.ErrorContains(t, same.Validate(), "is taken by listen")
	same.Listen, same.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	require.NoError(t, same.Validate())
}

func TestPrintIsReadBack(t *testing.T) {
	t.Parallel()
	cfg := Default()
	cfg.Data, cfg.SealAge, cfg.QueryTimeout, cfg.LogLevel = "/a dir: with#signs", 90*time.Minute, 0, slog.LevelWarn
	var out bytes.Buffer
	require.NoError(t, cfg.Print(&out))
	require.Contains(t, out.String(), "seal_rows: 1000000\n")
	require.Contains(t, out.String(), "seal_bytes: 256MiB\n")
	require.Contains(t, out.String(), "seal_age: 1h30m\n")
	require.Contains(t, out.String(), "# Rows after which a tail is sealed")
	back, err := Load(Sources{File: writeFile(t, out.String())})
	require.NoError(t, err)
	require.Equal(t, cfg, back)
}

func TestEveryOptionIsDescribed(t *testing.T) {
	t.Parallel()
	cfg := Default()
	for _, f := range cfg.fields() {
		require.NotEmpty(t, f.key)
		require.NotEmpty(t, f.help)
		text, ok := cfg.Value(f.key)
		require.True(t, ok)
		require.NoError(t, f.set(text), f.key)
	}
	require.Equal(t, Default(), cfg)
	_, ok := cfg.Value("colour")
	require.False(t, ok)
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Bytes{
		"0": 0, "1": 1, "1024": kibibyte, "1 KiB": kibibyte, "1k": kibibyte, "1kb": 1000, "256MiB": 256 * mebibyte,
		"1_000": 1000, "2g": 2 * gibibyte, "3TB": 3e12, " 7B ": 7,
	} {
		got, err := ParseBytes(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "MiB", "-1", "1.5GiB", "1 parsec", "1MiB2", "9999999999999999999", "9000000000GiB"} {
		_, err := ParseBytes(text)
		require.Error(t, err, text)
	}
	require.Equal(t, "256MiB", (256 * mebibyte).String())
	require.Equal(t, "1025", (kibibyte + 1).String())
	require.Equal(t, "0", Bytes(0).String())
}

func FuzzParseBytes(f *testing.F) {
	f.Add("256MiB")
	f.Add("1 kb")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBytes(text)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, b, Bytes(0))
		back, err := ParseBytes(b.String())
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
}
