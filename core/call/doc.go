// Package call holds the rules of one call: who may work on it, what comes
// next, when it is set aside, and how it ends. Each rule is a function of
// (call, event, now) that returns the call as it shall be stored.
//
// The caller's duties:
//
//  1. Store a claim before doing anything, with the version that was read. A
//     write that is refused means that somebody else works on the call: stop.
//  2. Store the result of a step before the next one starts, and the intent to
//     dial before the request leaves.
//  3. Start a paid request only if the lease outlasts its time limit by
//     [LeaseMargin].
//  4. Act on a stored state only: tell people after the write, not before.
//
// No rule reads a clock.
package call
