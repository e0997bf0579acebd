package api

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// urlParameters are what the URL of a request for SQL may say, and how it is taken.
var urlParameters = map[string]func(r *sqlRequest, value string) error{
	"format":        func(r *sqlRequest, value string) error { r.format = value; return nil },
	"max_rows":      (*sqlRequest).setMaxRows,
	"bigint":        (*sqlRequest).setBigint,
	"timeout":       (*sqlRequest).setTimeout,
	"timezone":      (*sqlRequest).setZone,
	"from":          func(r *sqlRequest, value string) error { return r.setNamed("from", value) },
	"to":            func(r *sqlRequest, value string) error { return r.setNamed("to", value) },
	"wait":          (*sqlRequest).setWait,
	"interval":      func(r *sqlRequest, value string) error { return r.setNamed("interval", value) },
	"allow_corrupt": (*sqlRequest).setAllowCorrupt,
}

// readURL applies the parameters of the URL, which go before those of the body, and the server's defaults. The table of routes lets only those come.
func (s *Server) readURL(r *http.Request, request *sqlRequest) error {
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name == "q" && r.Method == http.MethodGet {
			continue
		}
		if len(query[name]) > 1 {
			return event.Errorf(event.CodeBadRequest, "the parameter %s is given %d times", name, len(query[name]))
		}
		if err := urlParameters[name](request, query[name][0]); err != nil {
			return err
		}
	}
	if request.maxRows == 0 {
		request.maxRows = s.MaxRows
	}
	if request.timeout == 0 || (s.Timeout > 0 && request.timeout > s.Timeout) {
		request.timeout = s.Timeout
	}
	return nil
}

func knownParameters(method string) []string {
	known := slices.Sorted(maps.Keys(urlParameters))
	if method == http.MethodGet {
		known = append(known, "q")
	}
	return known
}

func (r *sqlRequest) setMaxRows(value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 1 {
		return event.Errorf(event.CodeBadRequest, "max_rows is %q; it must be a whole number from 1", value)
	}
	r.maxRows = n
	return nil
}

func (r *sqlRequest) setBigint(value string) error {
	if value != "string" && value != "number" {
		return event.Errorf(event.CodeBadRequest, "bigint is %q; it may be string or number", value)
	}
	r.bigintAsText = value == "string"
	return nil
}

func (r *sqlRequest) setTimeout(value string) error {
	if value == "" {
		return nil
	}
	timeout, err := time.ParseDuration(value)
	if err != nil || timeout <= 0 {
		return event.Errorf(event.CodeBadRequest, "timeout %q is not a duration", value).WithHint("as in 30s")
	}
	r.timeout = timeout
	return nil
}

// setZone takes a name of the IANA's list. Local is one to Go: the zone of the server, which is nobody's business.
func (r *sqlRequest) setZone(value string) error {
	if value == "" || strings.EqualFold(value, "UTC") {
		r.zone = nil
		return nil
	}
	zone, err := time.LoadLocation(value)
	if err != nil || strings.EqualFold(value, "Local") {
		return event.Errorf(event.CodeBadRequest, "there is no time zone %q", value).WithHint("as in Europe/Zurich")
	}
	r.zone = zone
	return nil
}

func (r *sqlRequest) setWait(value string) error {
	wait, err := strconv.ParseBool(value)
	if err != nil {
		return event.Errorf(event.CodeBadRequest, "wait is %q; it may be true or false", value)
	}
	r.Wait = wait
	return nil
}

func (r *sqlRequest) setAllowCorrupt(value string) error {
	allow, err := strconv.ParseBool(value)
	if err != nil {
		return event.Errorf(event.CodeBadRequest, "allow_corrupt is %q; it may be true or false", value)
	}
	r.AllowCorrupt = allow
	return nil
}

func (r *sqlRequest) setNamed(name, value string) error {
	if r.Params.Named == nil {
		r.Params.Named = map[string]bind.Param{}
	}
	r.Params.Named[name] = bind.String(value)
	return nil
}
