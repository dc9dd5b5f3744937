package http2

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/http2/hpack"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/rpcfacts"
)

// headerFrame takes a HEADERS, PUSH_PROMISE or CONTINUATION frame; cut says that
// its payload goes on beyond what is at hand.
func (p *Parser) headerFrame(sd *side, payload []byte, cut bool, s *exchange.Segment) {
	h := sd.frame
	fragment := h.fragment(payload)
	if h.kind == continuation && !sd.blocked { // its beginning was not seen
		sd.dec.Lose()
		return
	}
	last := h.flags&flagEndHeaders != 0
	if h.kind != continuation {
		sd.open, sd.dropped = h, false
		if last || cut {
			p.endBlock(sd, fragment, cut, !last, s)
			return
		}
		sd.block, sd.blocked = append(sd.block[:0], fragment...), true
		return
	}
	if sd.dropped {
		sd.blocked, sd.dropped = !last, !last
		return
	}
	cut = cut || h.stream != sd.open.stream || len(sd.block)+len(fragment) > maxBlock
	if !cut || len(sd.block)+len(fragment) <= maxBlock {
		sd.block = append(sd.block, fragment...)
	}
	if last || cut {
		p.endBlock(sd, sd.block, cut, !last, s)
	}
}

// endBlock takes a header block that is complete, or of which no more is known;
// more says that frames with the rest of it follow.
func (p *Parser) endBlock(sd *side, block []byte, cut, more bool, s *exchange.Segment) {
	sd.blocked, sd.dropped = more, more
	p.block(sd, sd.open, block, cut)
	if sd.open.kind == headers && sd.open.flags&flagEndStream != 0 {
		p.endStream(sd, sd.open.stream, s)
	}
}

// block reads a header block, for what it does to the decoder even if nobody
// wants to know it.
func (p *Parser) block(sd *side, h header, block []byte, cut bool) {
	client := h.kind == headers && h.stream&1 == 1 // else pushed, and of no interest
	st := p.streams[h.stream]
	switch {
	case !client:
		p.discard(sd, block, cut)
	case sd.which == exchange.Request:
		p.request(sd, h, st, block, cut)
	default:
		p.response(sd, h, st, block, cut)
	}
}

// read reads a block into f by set. It tells whether the block is one.
func (sd *side) read(block []byte, cut bool, f *rpcfacts.Facts, unknown *bool, set func(*rpcfacts.Facts, hpack.Field)) bool {
	r := sd.dec.Read(block)
	var field hpack.Field
	for r.Next(&field) {
		if field.Name == nil {
			*unknown = true
		} else {
			set(f, field)
		}
	}
	if cut || r.State != hpack.Fine {
		sd.dec.Lose()
	}
	return r.State != hpack.Bad
}

func (p *Parser) discard(sd *side, block []byte, cut bool) {
	var unknown bool
	sd.read(block, cut, &p.void, &unknown, func(*rpcfacts.Facts, hpack.Field) {})
}

// request takes a header block of the request side: a request, or trailers.
func (p *Parser) request(sd *side, h header, st *stream, block []byte, cut bool) {
	if h.stream <= p.highest && (st == nil || !st.early) {
		p.discard(sd, block, cut)
		return
	}
	f := &p.void
	f.Reset()
	early := st != nil
	if st == nil {
		if st = p.newStream(h.stream, &sd.first); st != nil {
			p.took(sd, st, frameHeader+uint64(h.length))
		}
	}
	if st != nil {
		f = facts(st.ex)
	}
	f.Version = httpfacts.HTTP2
	sane := sd.read(block, cut, f, &f.HeadersUnknown, setRequest)
	f.HeadCut = f.HeadCut || cut
	if !sane || len(f.Method) == 0 && !f.HeadersUnknown && !cut { // no request
		if st != nil && !early {
			p.drop(st)
		}
		return
	}
	p.skipped(h.stream)
	if st == nil {
		return
	}
	f.API.Begin(f.Target)
	if len(f.Target) == 0 && string(f.Method) == "CONNECT" {
		f.Target = append(f.Target, f.Host...)
	}
	if len(f.Method) == 0 || len(f.Target) == 0 {
		f.HeadersUnknown = true // cut off
	}
	if early {
		p.meet(st, &sd.first)
	}
}

// meet joins a request with its response, which was reported first.
func (p *Parser) meet(st *stream, s *exchange.Segment) {
	p.early--
	st.early = false
	ex := st.ex
	ex.Owner, ex.TID, ex.CgroupID, ex.CgroupHierarchy = s.Who.Owner, s.Who.TID, s.Who.CgroupID, s.Who.CgroupHierarchy
	ex.Start = s.Start
	if st.ended != 0 {
		p.finish(st, st.ended, exchange.Complete)
	}
}

// skipped takes note of the id of a new request. Clients use every second one,
// so that it tells how many requests were in bytes that were lost.
func (p *Parser) skipped(id uint32) {
	const smallest = frameHeader + 4 // bytes of a request
	if p.missed > 0 && p.highest != 0 && id > p.highest {
		for range min(uint64(id-p.highest)/2-1, p.missed/smallest) {
			p.sink.Count(exchange.RequestLost)
		}
	}
	p.highest, p.missed = max(p.highest, id), 0
}

// response takes a header block of the response side: an interim response, a
// final one, or trailers.
func (p *Parser) response(sd *side, h header, st *stream, block []byte, cut bool) {
	if st == nil && h.stream > p.highest && p.sink.Client() && p.early < maxEarly {
		if st = p.newStream(h.stream, &sd.first); st != nil { // its request was reported late
			st.early = true
			p.early++
			p.took(sd, st, frameHeader+uint64(h.length))
		}
	}
	if st == nil {
		p.discard(sd, block, cut)
		return
	}
	f := facts(st.ex)
	status := f.Status
	if !st.answered {
		f.Status = 0
	}
	if !sd.read(block, cut, f, &f.ResponseUnknown, setResponse) {
		f.ResponseUnknown = true
	}
	f.ResponseUnknown = f.ResponseUnknown || cut && (st.answered || f.Status == 0)
	switch {
	case f.Status >= 100 && f.Status < 200: // interim: the final one follows
		f.Status = 0
	case !st.answered || h.flags&flagEndStream == 0: // what came before was an interim one of unknown status
		st.answered = true
		st.ex.FirstByte = sd.first.Start
		f.Upgraded = string(f.Method) == "CONNECT" && f.Status >= 200 && f.Status < 300
	default:
		f.Status = status // trailers have none
	}
}

// setRequest takes over a field of a request.
func setRequest(f *rpcfacts.Facts, field hpack.Field) {
	name, value := field.Name, field.Value
	switch string(name) {
	case ":method":
		f.Method = append(f.Method[:0], value...)
	case ":path":
		f.Target = append(f.Target[:0], value...)
	case ":authority":
		f.Host = append(f.Host[:0], value...)
	case ":scheme":
		f.HTTPS = string(value) == "https"
	case "content-type":
		f.SetContentType(value)
	case "grpc-timeout":
		f.SetTimeout(value)
	default:
		f.SetHeader(name, value)
	}
}

// setResponse takes over a field of a response or of its trailers.
func setResponse(f *rpcfacts.Facts, field hpack.Field) {
	name, value := field.Name, field.Value
	switch string(name) {
	case ":status":
		f.Status = parseStatus(value)
	case "content-type":
		f.SetContentType(value)
		f.EventStream = f.EventStream || httpfacts.IsEventStream(value)
	case "grpc-status":
		f.SetStatus(value)
	default:
		f.API.Header(name, value, true)
	}
}

func parseStatus(b []byte) (n uint16) {
	if len(b) != 3 {
		return 0
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + uint16(c-'0')
	}
	return n
}
