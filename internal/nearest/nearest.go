// Package nearest finds the name that was probably meant where one is not known.
package nearest

// Of is the known name that differs least from given, by at most limit letters;
// empty when there is none. Of equal ones the one that begins alike for longest
// counts, then the first.
func Of(given string, known []string, limit int) string {
	best, name := limit, ""
	for _, k := range known {
		if max(len(given)-len(k), len(k)-len(given)) > best {
			continue // at least so many letters are to be dropped or inserted
		}
		d := distance(given, k)
		if d < best || d == best && (name == "" || alike(given, k) > alike(given, name)) {
			best, name = d, k
		}
	}
	return name
}

// alike is how many letters two names begin with in common.
func alike(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// distance is the number of letters to insert, drop, replace, or swap with
// their neighbour to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(replace, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
