package store

// ReadWithin is Read with a bound that a test reaches at once.
var ReadWithin = readWithin

// PublishNew takes the function that makes hard links, so that a test can do without them.
var PublishNew = publishNew
