package tidemark_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/tidemarkdb/tidemark"

// layer is a top-level folder with Go code and what it may import besides itself. An entry of imports allows a folder and
// everything below it.
type layer struct {
	folder  string
	imports []string
}

// layers lists all of them, the highest first.
var layers = []layer{
	{"docs", []string{"server", "sql", "query", "event"}}, // only its tests, which run what the pages show
	{"bench", nil}, // it talks to a server that it starts
	{"cmd", []string{"server", "sql", "ingest", "query", "segments", "catalog", "event", "internal"}},
	{"server", []string{"sql", "ingest", "query", "segments", "catalog", "event", "internal"}},
	{"sql", []string{"query/plan", "catalog", "event", "internal"}},
	{"ingest", []string{"segments", "catalog", "event", "internal"}},
	{"query", []string{"event", "internal"}},
	{"segments", []string{"catalog", "event", "internal"}},
	{"catalog", []string{"event", "internal"}},
	{"internal", []string{"event"}},
	{"event", nil},
}

// serverImports lists what a child of server may import of its siblings. app joins them all; the others are joined, and
// know nothing of each other, except that whatever talks to a running server does so through client.
var serverImports = map[string][]string{
	"app":       {"activity", "api", "backup", "config", "console", "doctor", "kafka", "notify", "scrub", "system", "views"},
	"demo":      {"client", "shell"}, // it shows tables as the shell does
	"shell":     {"client"},
	"backup":    {"app", "config"},           // likewise
	"doctor":    {"app", "config"},           // its tests make data by a server
	"logictest": {"client", "app", "config"}, // its tests start a server for each file
}

// outsideWorld lists packages of the standard library that reach files and the network, with the folders that may.
var outsideWorld = map[string][]string{
	"os":       {"bench", "cmd", "server", "internal/vfs", "internal/racing"},
	"os/exec":  {"bench"},
	"syscall":  {"bench", "cmd", "server", "internal/vfs"},
	"net":      {"bench", "cmd", "server"},
	"net/http": {"bench", "cmd", "server"},
}

// vagueNames say nothing about what is inside.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "type", "types"}

// goPackage is what `go list` tells of a package. Folder is its path below the module, "" for the root.
type goPackage struct {
	ImportPath   string
	Name         string
	Doc          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Folder       string `json:"-"`
}

// ours gives the folders of this module that the package imports; tests are held to the same rules as the code.
func (p goPackage) ours() []string {
	var folders []string
	for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
		if folder, ok := strings.CutPrefix(imported, module+"/"); ok {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

var packages = sync.OnceValues(func() ([]goPackage, error) {
	output, err := goCommand("list", "-e", "-json=ImportPath,Name,Doc,Imports,TestImports,XTestImports", "./...")
	if err != nil {
		return nil, err
	}
	var list []goPackage
	for decoder := json.NewDecoder(strings.NewReader(output)); ; {
		var p goPackage
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, err
		}
		p.Folder = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		list = append(list, p)
	}
})

func goCommand(arguments ...string) (string, error) {
	output, err := exec.Command("go", arguments...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	return string(output), err
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	list, err := packages()
	require.NoError(t, err)
	require.NotEmpty(t, list)
	return list
}

// below reports whether a folder is one of the parents or inside of one.
func below(folder string, parents []string) bool {
	return slices.ContainsFunc(parents, func(parent string) bool {
		return folder == parent || strings.HasPrefix(folder, parent+"/")
	})
}

func topFolder(folder string) string {
	top, _, _ := strings.Cut(folder, "/")
	return top
}

func TestLayersPointDown(t *testing.T) {
	t.Parallel()
	for i, upper := range layers {
		for _, imported := range upper.imports {
			isImported := func(lower layer) bool { return lower.folder == topFolder(imported) }
			if !slices.ContainsFunc(layers[i+1:], isImported) {
				t.Errorf("%s may import %s, which is not a lower layer", upper.folder, imported)
			}
		}
	}
}

func TestImportsFollowTheLayers(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{}
	for _, l := range layers {
		allowed[l.folder] = append([]string{l.folder}, l.imports...)
	}
	for _, p := range listPackages(t) {
		top := topFolder(p.Folder)
		if top == "" {
			require.Empty(t, p.ours(), "the root package imports nothing of ours")
			continue
		}
		if allowed[top] == nil {
			t.Errorf("%s is in a folder that has no layer", p.Folder)
			continue
		}
		for _, imported := range p.ours() {
			if !below(imported, allowed[top]) {
				t.Errorf("%s imports %s; %s may import only %v", p.Folder, imported, top, allowed[top])
			}
		}
	}
}

func TestServerPartsDoNotKnowEachOther(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		child, ok := serverChild(p.Folder)
		if !ok {
			continue
		}
		for _, imported := range p.ours() {
			sibling, ok := serverChild(imported)
			if ok && sibling != child && !slices.Contains(serverImports[child], sibling) {
				t.Errorf("%s imports %s; of its siblings server/%s may import only %v", p.Folder, imported, child, serverImports[child])
			}
		}
	}
}

// serverChild gives the folder directly below server that a folder is in.
func serverChild(folder string) (string, bool) {
	rest, ok := strings.CutPrefix(folder, "server/")
	return topFolder(rest), ok
}

// Tests may use files and loopback connections; code reaches files through internal/vfs, so that crashes and faults can be
// put behind it, and the network only in server.
func TestOnlyTheEdgesReachOutside(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		for _, imported := range p.Imports {
			folders, guarded := outsideWorld[imported]
			if guarded && !below(p.Folder, folders) {
				t.Errorf("%s imports %s; only %v may", p.Folder, imported, folders)
			}
		}
	}
}

func TestPackagesAreNamedForWhatTheyDo(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		if slices.Contains(vagueNames, p.Name) || slices.Contains(vagueNames, path.Base(p.Folder)) {
			t.Errorf("package %s in %q has a name that says nothing", p.Name, p.Folder)
		}
	}
}

func TestPackagesSayTheirPurpose(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// TestReadmeMapsTheFolders keeps the map in README.md true in both directions: what it lists exists; every top-level folder
// and every package down to the second level is in it.
func TestReadmeMapsTheFolders(t *testing.T) {
	t.Parallel()
	mapped := readmeFolders(t)
	for _, folder := range mapped {
		info, err := os.Stat(folder)
		if err != nil || !info.IsDir() {
			t.Errorf("README.md lists %s/, which is not there", folder)
		}
	}
	expected := topLevelFolders(t)
	for _, p := range listPackages(t) {
		if strings.Count(p.Folder, "/") == 1 {
			expected = append(expected, p.Folder)
		}
	}
	for _, folder := range expected {
		if !slices.Contains(mapped, folder) {
			t.Errorf("the map of folders in README.md lacks %s/", folder)
		}
	}
}

// readmeFolders reads the map: lines of "name/  purpose", where a folder indented further is inside the one above it.
func readmeFolders(t *testing.T) []string {
	t.Helper()
	_, rest, found := strings.Cut(readFile(t, "README.md"), "<!-- folders -->")
	require.True(t, found, "README.md has no <!-- folders --> marker")
	section, _, found := strings.Cut(rest, "<!-- /folders -->")
	require.True(t, found, "README.md has no <!-- /folders --> marker")

	entry := regexp.MustCompile(`^( *)([A-Za-z0-9._/-]+)/ +\S`)
	type open struct {
		indent int
		folder string
	}
	var parents []open
	var folders []string
	for line := range strings.Lines(section) {
		match := entry.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		indent := len(match[1])
		for len(parents) > 0 && parents[len(parents)-1].indent >= indent {
			parents = parents[:len(parents)-1]
		}
		folder := match[2]
		if len(parents) > 0 {
			folder = parents[len(parents)-1].folder + "/" + folder
		}
		parents = append(parents, open{indent, folder})
		folders = append(folders, folder)
	}
	require.NotEmpty(t, folders)
	return folders
}

// topLevelFolders lists the folders of the repository's root, without hidden ones and those that .gitignore leaves out.
func topLevelFolders(t *testing.T) []string {
	t.Helper()
	ignored := strings.Fields(readFile(t, ".gitignore"))
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var folders []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() && !strings.HasPrefix(name, ".") && !slices.Contains(ignored, "/"+name+"/") {
			folders = append(folders, name)
		}
	}
	return folders
}

// TestDependenciesAreExplained holds docs/dependencies.md to go.mod: every direct dependency has a row there, and every row
// is one.
func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	output, err := goCommand("mod", "edit", "-json")
	require.NoError(t, err)
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(output), &mod))
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .+ \\|$")
	explained := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(readFile(t, "docs/dependencies.md"), -1) {
		explained[match[1]] = true
	}
	for _, required := range mod.Require {
		if required.Indirect {
			continue
		}
		if !explained[required.Path] {
			t.Errorf("docs/dependencies.md does not say what %s is for", required.Path)
		}
		delete(explained, required.Path)
	}
	for extra := range explained {
		t.Errorf("docs/dependencies.md explains %s, which go.mod does not require directly", extra)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}
