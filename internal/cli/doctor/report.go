package doctor

// Status is how a check ended.
type Status string

// The outcomes of a check. Only Fail keeps the agent from its main job.
const (
	OK   Status = "ok"
	Info Status = "info" // worth knowing, nothing is missing
	Warn Status = "warn" // something is missing in the data
	Fail Status = "fail"
)

// Check is one thing that was looked at.
type Check struct {
	Name    string `json:"name"`
	Status  Status `json:"status"`
	Found   string `json:"found"`
	Missing string `json:"missing,omitempty"` // what the data will not have
	Remedy  string `json:"remedy,omitempty"`
}

// Hook is one place in the kernel, tried by attaching to it.
type Hook struct {
	Name     string `json:"name"`
	Attached bool   `json:"attached"`
	Required bool   `json:"required"`          // without it there is no main job
	For      string `json:"for"`               // what it is needed for
	Error    string `json:"error,omitempty"`   // why it is not attached
	Missing  string `json:"missing,omitempty"` // what the data will not have
	Remedy   string `json:"remedy,omitempty"`
}

// Report is everything that was found. ProbeError says why no hook could be
// tried at all; then Hooks are empty or all fail with it.
type Report struct {
	Checks     []Check `json:"checks"`
	Hooks      []Hook  `json:"hooks"`
	ProbeError string  `json:"probe_error,omitempty"`
	MainJob    bool    `json:"main_job"` // the agent can do its main job here
}

// NewReport puts checks and hooks together. Whether the main job can be done
// is what attaching has shown; the checks explain it.
func NewReport(checks []Check, hooks []Hook, probeError error) Report {
	r := Report{Checks: checks, Hooks: hooks, MainJob: probeError == nil && len(hooks) > 0}
	if probeError != nil {
		r.ProbeError = probeError.Error()
	}
	for _, h := range hooks {
		if h.Required && !h.Attached {
			r.MainJob = false
		}
	}
	return r
}

// Attached counts the hooks that are.
func (r Report) Attached() int {
	n := 0
	for _, h := range r.Hooks {
		if h.Attached {
			n++
		}
	}
	return n
}
