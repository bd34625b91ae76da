package elevenlabs

import (
	"bytes"
	"mime"
	"net/http"
	"strings"

	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// minAudio is less than the shortest word takes, even in the leanest format.
const minAudio = 100

// listen accepts an answer that is a recording. ElevenLabs is known to send
// empty and broken ones with status 200.
func (c *Client) listen(a httpcall.Answer) (call.Audio, *fault.Fault) {
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	problem := ""
	switch {
	case a.Status != http.StatusOK:
	case err != nil || !strings.HasPrefix(kind, "audio/"):
		problem = "it sent something else than audio"
	case a.Cut:
		problem = "its audio exceeds 20 MB"
	case len(a.Body) < minAudio:
		problem = "its audio is empty"
	case !playable(a.Body):
		problem = "its audio is not playable"
	default:
		return call.Audio{Data: a.Body, ContentType: kind}, nil
	}
	f := c.classify(a.Status, a.Header, a.Body)
	if problem != "" {
		f.Message = problem
	}
	return call.Audio{}, f
}

// playable knows the beginnings of MP3 (a tag or a frame of layer III) and WAV.
func playable(data []byte) bool {
	if bytes.HasPrefix(data, []byte("ID3")) {
		return true
	}
	if bytes.HasPrefix(data, []byte("RIFF")) {
		return bytes.HasPrefix(data[8:], []byte("WAVE"))
	}
	return isFrame(data)
}

// isFrame reads an MPEG audio frame header: eleven bits of sync, then version,
// layer, bit rate and sampling rate, each with a value that is reserved.
func isFrame(data []byte) bool {
	return data[0] == 0xff && data[1]&0xe0 == 0xe0 &&
		data[1]&0x18 != 0x08 && data[1]&0x06 == 0x02 &&
		data[2]&0xf0 != 0xf0 && data[2]&0x0c != 0x0c
}
