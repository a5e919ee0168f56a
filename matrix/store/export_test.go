package store

// ReadWithin is Read with a bound that a test reaches at once.
var ReadWithin = readWithin
