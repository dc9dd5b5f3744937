package main

// stages are the benchmarks of the packages on an event's way, in its order.
var stages = []microbenchmark{}
