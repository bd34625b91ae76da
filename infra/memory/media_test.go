package memory

import (
	"testing"

	"callagent/core/agent"
	"callagent/core/agent/mediatest"
)

func TestMedia(t *testing.T) {
	mediatest.Run(t, func(*testing.T) agent.Media { return NewMedia() })
}

func TestMediaLinksLeadNowhere(t *testing.T) {
	got, err := NewMedia().Link(t.Context(), "audio/ä b.mp3")
	if want := "https://media.invalid/audio/%C3%A4%20b.mp3"; got != want || err != nil {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}
