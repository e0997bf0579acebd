//go:build !linux

package main

import "time"

// startWithSlack does nothing: only Linux lets a program choose.
func startWithSlack(time.Duration) error { return nil }
