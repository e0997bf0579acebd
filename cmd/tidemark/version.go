package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version and commit are set by the linker in releases: -X main.version=... -X main.commit=...
var (
	version string
	commit  string
)

// versionCmd prints what was built and from what.
type versionCmd struct{}

// Run prints one line.
func (*versionCmd) Run(p *process) error {
	info, _ := debug.ReadBuildInfo()
	v, c := buildVersion(info)
	_, err := fmt.Fprintf(p.stdout, "tidemark %s (commit %s, %s, %s/%s)\n", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// buildVersion prefers what the linker set and falls back to what the go command recorded.
func buildVersion(info *debug.BuildInfo) (v, c string) {
	v, c = version, commit
	if info == nil {
		info = &debug.BuildInfo{}
	}
	if v == "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	if c == "" {
		c = commitOf(info)
	}
	if v == "" {
		v = "development"
	}
	if c == "" {
		c = "unknown"
	}
	return v, c
}

func commitOf(info *debug.BuildInfo) string {
	var revision, changed string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case "vcs.modified":
			if s.Value == "true" {
				changed = " with changes"
			}
		}
	}
	if revision == "" {
		return ""
	}
	return revision + changed
}
