package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// guard refuses what a web page of another origin could make a browser send: a server on the loopback is reachable by every page
// that the machine's user opens. Host must be a name of this server (which defeats DNS rebinding), Origin must agree with it,
// and a browser that says that the request comes from elsewhere is believed.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := s.refusal(r); fault != nil {
			writeProblem(w, fault)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) refusal(r *http.Request) *event.Error {
	if !s.knownHost(r.Host) {
		return event.Errorf(event.CodeForbidden, "Host %q is not a name of this server", r.Host).
			WithHint("use 127.0.0.1 or localhost")
	}
	if origin := r.Header.Get("Origin"); origin != "" && !sameOrigin(origin, r.Host) {
		return event.Errorf(event.CodeForbidden, "requests from pages of %s are refused", origin)
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "none", "same-origin":
		return nil
	default:
		return event.Errorf(event.CodeForbidden, "%s requests are refused", site)
	}
}

func (s *Server) knownHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") || strings.EqualFold(host, s.Host) {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}
