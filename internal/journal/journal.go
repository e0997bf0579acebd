// Package journal is the store's own log: everything durable that is not an event or a sealed file is a record in it.
//
// What always holds: one Update is one frame, so its records take effect together or not at all, also across a crash; a
// record is applied to its State only after it is durable, in the order of the journal; the directory holds two snapshots and
// every record since the older one, so that a damaged snapshot loses nothing. Damage to the records refuses to open.
//
// Every method may be called from any goroutine. Updates run one at a time. Lock order: the journal's, then a State's. The
// package does not know what records mean, and offers no reads: those go to the States.
package journal

// Record is one entry: what it means is known to the State that registered its kind.
type Record struct {
	Kind Kind
	Body []byte
}

// Kind names the owner of a record. Kinds are part of the on-disk format: never renumbered.
type Kind uint8

// The kinds.
const (
	KindStream  Kind = 1 // package catalog: definitions of streams
	KindSegment Kind = 2 // package segments/manifest: edits of the list of segments
)

// State is a component whose durable state is the fold of its records.
type State interface {
	// Apply folds one record in. It is called during replay and after each commit, in journal order, never concurrently.
	Apply(Record) error
	// Snapshot gives records that rebuild the present state from nothing. It is never called while Apply runs.
	Snapshot() ([]Record, error)
}
