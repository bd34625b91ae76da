package world

import (
	"os"
	"testing"
	"time"
)

func TestCalm(t *testing.T) {
	o := Options{Chooser: Calm, Contacts: Contacts(20)}
	if testing.Verbose() {
		o.Trace = os.Stdout
	}
	w := New(o)
	defer w.Close()
	for !w.Rest() && w.Since() < time.Hour {
		w.Step()
	}
	w.Finish()
	for _, v := range w.Violations() {
		t.Error(v)
	}
	t.Log(w.Since(), w.Figures(), w.Outcomes())
}
