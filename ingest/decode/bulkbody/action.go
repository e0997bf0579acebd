package bulkbody

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Action is what an item asks for.
type Action uint8

// The actions.
const (
	Index Action = iota
	Create
	Update
	Delete
)

var actionNames = [...]string{Index: "index", Create: "create", Update: "update", Delete: "delete"}

// String is the action's name in a request, and in the answer.
func (a Action) String() string { return actionNames[a] }

// hasRow reports whether a line with a row follows the action.
func (a Action) hasRow() bool { return a != Delete }

// parsed is an action as a line says it.
type parsed struct {
	action    Action
	index, id string
	line      []byte
}

// meta is what may stand in an action.
type meta struct {
	Index   string          `json:"_index"`
	ID      json.RawMessage `json:"_id"`
	Type    json.RawMessage `json:"_type"`
	Routing json.RawMessage `json:"routing"`
	// What follows is of no effect here.
	OldRouting   json.RawMessage `json:"_routing"`
	Pipeline     json.RawMessage `json:"pipeline"`
	Version      json.RawMessage `json:"version"`
	VersionType  json.RawMessage `json:"version_type"`
	IfSeqNo      json.RawMessage `json:"if_seq_no"`
	IfTerm       json.RawMessage `json:"if_primary_term"`
	OpType       json.RawMessage `json:"op_type"`
	RequireAlias json.RawMessage `json:"require_alias"`
	DataStream   json.RawMessage `json:"require_data_stream"`
	Templates    json.RawMessage `json:"dynamic_templates"`
	Conflicts    json.RawMessage `json:"retry_on_conflict"`
}

// parseAction reads a line as an action: an object whose first member has the name of an action. Further members are passed over, as Elasticsearch
// does up to version 8: winston-elasticsearch has one of its own behind the action. Another action is no such member.
func parseAction(line []byte) (parsed, bool) {
	var object map[string]*meta
	if json.Unmarshal(line, &object) == nil && len(object) == 1 {
		for name, found := range object {
			return actionOf(name, found)
		}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(line, &members) != nil || len(members) < 2 {
		return parsed{}, false
	}
	name := firstName(line)
	var found *meta
	if json.Unmarshal(members[name], &found) != nil {
		return parsed{}, false
	}
	for _, other := range actionNames {
		if _, twice := members[other]; twice && other != name {
			return parsed{}, false
		}
	}
	return actionOf(name, found)
}

// firstName is the name of an object's first member.
func firstName(object []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(object))
	_, _ = decoder.Token() // the brace; the object is known to be valid
	name, _ := decoder.Token()
	text, _ := name.(string)
	return text
}

func actionOf(name string, found *meta) (parsed, bool) {
	at := slices.Index(actionNames[:], name)
	if at < 0 {
		return parsed{}, false
	}
	out := parsed{action: Action(at)}
	if found != nil {
		out.index, out.id = found.Index, idOf(found.ID)
	}
	return out, true
}

// idOf is an id as text; numbers are taken too.
func idOf(raw json.RawMessage) string {
	var text string
	switch {
	case json.Unmarshal(raw, &text) == nil:
		return text
	default:
		return string(raw)
	}
}

// LooksLike reports whether the first line of a body is an action that adds a row, with nothing in it that only an event would have.
func LooksLike(begin []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(begin, "\ufeff \t\r\n"), []byte{'\n'})
	if name := bytes.TrimLeft(line[min(len(line), 1):], " \t"); !bytes.HasPrefix(name, []byte(`"index"`)) && !bytes.HasPrefix(name, []byte(`"create"`)) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	var object map[string]*meta
	return decoder.Decode(&object) == nil && len(object) == 1 && (object["index"] != nil || object["create"] != nil)
}
