package simulator

import "bytes"

// mp3Format is one of the constant bit rates in which ElevenLabs answers.
type mp3Format struct {
	header  [4]byte // MPEG audio layer III, mono, without checksum and padding
	frame   int     // bytes in a frame, its header included
	samples int     // in a frame
	rate    int     // samples a second
}

// The second byte tells MPEG 1 (FB) from MPEG 2 (F3), the third holds bit rate
// and sample rate, the last says mono.
var mp3Formats = map[string]mp3Format{
	"mp3_22050_32":  {[4]byte{0xFF, 0xF3, 0x40, 0xC0}, 104, 576, 22050},
	"mp3_24000_48":  {[4]byte{0xFF, 0xF3, 0x64, 0xC0}, 144, 576, 24000},
	"mp3_44100_32":  {[4]byte{0xFF, 0xFB, 0x10, 0xC0}, 104, 1152, 44100},
	"mp3_44100_64":  {[4]byte{0xFF, 0xFB, 0x50, 0xC0}, 208, 1152, 44100},
	"mp3_44100_96":  {[4]byte{0xFF, 0xFB, 0x70, 0xC0}, 313, 1152, 44100},
	"mp3_44100_128": {[4]byte{0xFF, 0xFB, 0x90, 0xC0}, 417, 1152, 44100},
	"mp3_44100_192": {[4]byte{0xFF, 0xFB, 0xB0, 0xC0}, 626, 1152, 44100},
}

// silence makes an MP3 file that lasts as long as reading so many characters
// aloud, at least a tenth of a second and at most a minute. After each header
// the frame is zeros, which say that it carries no sound.
func (f mp3Format) silence(characters int) []byte {
	const perSecond, longest = 15, 60
	seconds := min(float64(characters)/perSecond, longest)
	frames := max(int(seconds*float64(f.rate)/float64(f.samples)), f.rate/f.samples/10+1)
	one := make([]byte, f.frame)
	copy(one, f.header[:])
	return bytes.Repeat(one, frames)
}
