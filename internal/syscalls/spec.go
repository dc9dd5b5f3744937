package syscalls

// Numbers are the call's numbers on each ABI; empty where it does not exist.
// The 32-bit ABIs have several for some calls (16- and 32-bit user ids).
type Numbers struct {
	AMD64, ARM64 []uint16
	X32          []uint16 // only the numbers above 511, which are x32's own
	I386, ARM    []uint16
}

// Spec is one row of Table.
type Spec struct {
	Name    string
	Numbers Numbers
	Args    []Arg // at most MaxArgs, in register order
	Result  Result
}
