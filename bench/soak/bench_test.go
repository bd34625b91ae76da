package main

import "testing"

func BenchmarkSeed(b *testing.B) {
	for i := range b.N {
		run(uint64(i+1), nil)
	}
}
