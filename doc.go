// Package tidemark is the root of the module. It holds no code: the program is cmd/tidemark, and README.md has the map of
// the folders. Its tests hold the whole tree to the rules of layout, such as which folder may import which.
package tidemark
