package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
)

// shape is rows of one kind: how they are made up, and the struct that libraries fill in for each.
type shape struct {
	name string
	row  reflect.Type
	line func(b []byte, r *rand.Rand, i int) []byte
}

var shapes = []*shape{
	{"flights", reflect.TypeFor[flight](), appendFlight},
	{"access log", reflect.TypeFor[access](), appendAccess},
	{"security", reflect.TypeFor[security](), appendSecurity},
	{"wide", reflect.TypeFor[wide](), appendWide},
}

func (s *shape) fields() []field { return fieldsOf(s.row) }

// make writes about so many bytes of lines, the same each time.
func (s *shape) make(size int) []byte {
	random := rand.New(rand.NewPCG(20260301, uint64(len(s.name)))) //nolint:gosec // made-up events
	var out []byte
	for i := 0; len(out) < size; i++ {
		out = append(s.line(out, random, i), '\n')
	}
	return out
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

// flight is a short row of numbers and codes.
type flight struct {
	Time        string  `json:"time" is:"time"`
	Carrier     string  `json:"carrier"`
	Number      int64   `json:"number"`
	Origin      string  `json:"origin"`
	Destination string  `json:"destination"`
	Delay       int64   `json:"delay"`
	Distance    int64   `json:"distance"`
	Hours       float64 `json:"hours"`
	Cancelled   bool    `json:"cancelled"`
}

func appendFlight(b []byte, r *rand.Rand, i int) []byte {
	airports := []string{"SFO", "ORD", "ATL", "LAX", "DFW", "JFK", "DEN", "PHX", "IAH", "LAS", "MSP", "DTW"}
	return fmt.Appendf(b, `{"time":"2001-%02d-%02dT%02d:%02d:00.000Z","carrier":%q,"number":%d,"origin":%q,"destination":%q,"delay":%d,"distance":%d,`+
		`"hours":%.2f,"cancelled":%t}`, 1+i/40_000%12, 1+i/1500%28, i/60%24, i%60, pick(r, "AA", "UA", "DL", "WN", "US"), 1+r.IntN(6000),
		pick(r, airports...), pick(r, airports...), r.IntN(120)-20, 100+r.IntN(2600), 0.5+5*r.Float64(), r.IntN(50) == 0)
}

// access is a row of the access log that the other benchmarks send.
type access struct {
	Time    string  `json:"ts" is:"time"`
	Event   string  `json:"event_id"`
	Session string  `json:"session"`
	User    string  `json:"user_id"`
	Region  string  `json:"region"`
	Service string  `json:"service"`
	Method  string  `json:"method"`
	Path    string  `json:"path"`
	Status  int64   `json:"status"`
	Bytes   int64   `json:"bytes"`
	Latency float64 `json:"latency_ms"`
	Cached  bool    `json:"cached"`
	Agent   string  `json:"agent"`
}

func appendAccess(b []byte, r *rand.Rand, i int) []byte {
	service := pick(r, "checkout", "catalog", "search", "cart", "login", "payments", "profile", "images")
	return fmt.Appendf(b, `{"ts":"2026-03-01T%02d:%02d:%02d.%06dZ","event_id":"e%016x","session":"s%016x","user_id":"u%06d","region":%q,"service":%q,`+
		`"method":%q,"path":"/%s/items/%d","status":%d,"bytes":%d,"latency_ms":%.3f,"cached":%t,"agent":%q}`,
		i/3_600_000%24, i/60_000%60, i/1000%60, i%1000*1000+r.IntN(1000), r.Uint64(), r.Uint64(), r.IntN(200_000),
		pick(r, "eu-west", "eu-north", "us-east", "us-west", "ap-south"), service, pick(r, "GET", "GET", "POST", "PUT"), service, r.IntN(5000),
		[]int{200, 200, 200, 204, 304, 404, 500}[r.IntN(7)], r.IntN(60_000), 2/(r.Float64()+0.001), r.IntN(3) == 0,
		pick(r, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "okhttp/5.1.0",
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36"))
}

// security is a long row with escapes, nested members and such as only some rows have.
type security struct {
	Time      string          `json:"@timestamp" is:"time"`
	Host      string          `json:"hostname"`
	Channel   string          `json:"channel"`
	Event     int64           `json:"event_id"`
	Provider  string          `json:"provider"`
	Process   json.RawMessage `json:"process"`
	User      json.RawMessage `json:"user"`
	Image     string          `json:"image"`
	Command   string          `json:"command_line"`
	Address   string          `json:"source_ip"`
	Port      int64           `json:"source_port"`
	Addresses json.RawMessage `json:"host_ips"`
	Elevated  bool            `json:"elevated"`
	Message   string          `json:"message"`
}

func appendSecurity(b []byte, r *rand.Rand, i int) []byte {
	program := pick(r, "svchost.exe", "smartscreen.exe", "powershell.exe", "lsass.exe", "explorer.exe")
	image := `C:\\Windows\\System32\\` + program
	b = fmt.Appendf(b, `{"@timestamp":"2022-08-04T%02d:%02d:%02d.%03dZ","hostname":"ws%03d","channel":%q,"event_id":%d,"provider":"{54849625-%04x-4994}",`,
		i/360_000%24, i/6000%60, i/100%60, i%100*10, r.IntN(300), pick(r, "Security", "Microsoft-Windows-Sysmon/Operational"), 4600+r.IntN(200), r.IntN(1<<16))
	b = fmt.Appendf(b, `"process":{"pid":%d,"parent":{"pid":%d,"name":%q},"args":["-k","netsvcs",%d]},"user":{"sid":"S-1-5-21-%d-1002","domain":"LAB"},`,
		r.IntN(9000), r.IntN(9000), program, r.IntN(99), r.IntN(1<<30))
	b = fmt.Appendf(b, `"image":"%s","command_line":"%s -Embedding \"%x\"",`, image, image, r.Uint32())
	if i%3 == 0 {
		b = fmt.Appendf(b, `"source_ip":"10.77.%d.%d","source_port":%d,"host_ips":["10.77.0.%d","fe80::%x"],`,
			r.IntN(256), r.IntN(256), 1024+r.IntN(60_000), r.IntN(256), r.IntN(1<<16))
	}
	return fmt.Appendf(b, `"elevated":%t,"message":"A new process has been created.\r\n\r\nCreator Subject:\r\n\tSecurity ID:\t\tS-1-5-18\r\n\tLogon ID:\t\t0x%x`+
		`\r\n\r\nProcess Information:\r\n\tNew Process Name:\t%s\r\n\tToken Elevation Type:\t%%%%%d\r\n\tMandatory Label:\t\tS-1-16-%d\r\n\r\n`+
		`The token of a process tells what it may do. One that is full has every privilege of its user; one that is limited lacks those of an administrator."}`,
		i%4 == 0, r.Uint32(), image, 1936+r.IntN(3), r.IntN(1<<14))
}

// wide is a row of 60 members, as a tracker in web pages sends them.
type wide struct {
	Time string `json:"event_time" is:"time"`

	WatchId        int64 `json:"watch_id"`
	UserKey        int64 `json:"user_key"`
	CounterId      int64 `json:"counter_id"`
	RegionId       int64 `json:"region_id"`
	ClientIp       int64 `json:"client_ip"`
	RefererHash    int64 `json:"referer_hash"`
	ScreenWidth    int64 `json:"screen_width"`
	ScreenHeight   int64 `json:"screen_height"`
	WindowWidth    int64 `json:"window_width"`
	WindowHeight   int64 `json:"window_height"`
	Depth          int64 `json:"depth"`
	FlashMajor     int64 `json:"flash_major"`
	FlashMinor     int64 `json:"flash_minor"`
	NetMajor       int64 `json:"net_major"`
	NetMinor       int64 `json:"net_minor"`
	EngineId       int64 `json:"engine_id"`
	EngineAge      int64 `json:"engine_age"`
	PhoneModelId   int64 `json:"phone_model_id"`
	TrafficSource  int64 `json:"traffic_source"`
	SearchEngineId int64 `json:"search_engine_id"`
	AdvEngineId    int64 `json:"adv_engine_id"`
	Interests      int64 `json:"interests"`
	SendTime       int64 `json:"send_time"`
	DnsTime        int64 `json:"dns_time"`
	ConnectTime    int64 `json:"connect_time"`
	ResponseTime   int64 `json:"response_time"`
	FetchTime      int64 `json:"fetch_time"`
	Robotness      int64 `json:"robotness"`
	TimezoneOffset int64 `json:"timezone_offset"`
	Goals          int64 `json:"goals"`

	Latitude   float64 `json:"latitude"`
	Longitude  float64 `json:"longitude"`
	Scroll     float64 `json:"scroll"`
	Score      float64 `json:"score"`
	Price      float64 `json:"price"`
	Discount   float64 `json:"discount"`
	Tax        float64 `json:"tax"`
	Rating     float64 `json:"rating"`
	Visibility float64 `json:"visibility"`
	Weight     float64 `json:"weight"`

	Title         string `json:"title"`
	Url           string `json:"url"`
	Referer       string `json:"referer"`
	SearchPhrase  string `json:"search_phrase"`
	PhoneModel    string `json:"phone_model"`
	Browser       string `json:"browser"`
	Os            string `json:"os"`
	Language      string `json:"language"`
	Country       string `json:"country"`
	City          string `json:"city"`
	PageCharset   string `json:"page_charset"`
	Params        string `json:"params"`
	SocialNetwork string `json:"social_network"`
	Campaign      string `json:"campaign"`

	IsMobile   bool `json:"is_mobile"`
	Cookies    bool `json:"cookies"`
	Javascript bool `json:"javascript"`
	IsRefresh  bool `json:"is_refresh"`
	IsDownload bool `json:"is_download"`
}

var wideFields = fieldsOf(reflect.TypeFor[wide]())

func appendWide(b []byte, r *rand.Rand, i int) []byte {
	for at, f := range wideFields {
		b = fmt.Appendf(b, "%c%q:", "{,"[min(at, 1)], f.name)
		switch f.kind {
		case times:
			b = fmt.Appendf(b, `"2013-07-15T%02d:%02d:%02d.000Z"`, i/36_000%24, i/600%60, i/10%60)
		case integers:
			b = strconv.AppendInt(b, r.Int64()>>r.UintN(63), 10)
		case doubles:
			b = strconv.AppendFloat(b, r.Float64()*100, 'f', 1+at%6, 64)
		case booleans:
			b = strconv.AppendBool(b, r.IntN(3) == 0)
		case texts, documents:
			b = strconv.AppendQuote(b, pick(r, "", "", "https://example.com/catalog/items?page=2", "Firefox", "spring sale", "de-DE"))
		}
	}
	return append(b, '}')
}
