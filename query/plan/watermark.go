package plan

// Watermark gives how far the event time of what a view reads has come: no event before it will come in time. Only a condition right on the
// rows of a view that leave it with time stands for it; SQL cannot name it.
var Watermark = &Function{Name: "watermark", Result: timestamptz, Stable: true}
