"""Callers and company phones played by SIPp with spoken audio: for the demo, the tests and the benchmarks."""
