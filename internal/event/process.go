package event

// decodeExec decodes a TypeExec or TypeProcess record behind its task.
func (ev *Event) decodeExec(b []byte) error {
	if len(b) < execSize {
		return ErrShort
	}
	e := &ev.Exec
	*e = Exec{OldTID: ne.Uint32(b), Argc: ne.Uint32(b[4:])}
	decodeFile(b[8:], &e.File)
	e.Ctime, e.Mtime = ne.Uint64(b[32:]), ne.Uint64(b[40:])
	e.Input, e.Output, e.Substituted = ne.Uint64(b[48:]), ne.Uint64(b[56:]), ne.Uint64(b[64:])
	b = b[execSize:]
	for {
		x, rest, ok, err := nextExtra(b)
		if err != nil {
			return err
		}
		if !ok {
			return nil
		}
		b = rest
		ev.execExtra(&x)
	}
}

func (ev *Event) execExtra(x *extra) {
	e := &ev.Exec
	switch x.arg {
	case partIdentity:
		ev.Identity.decode(x)
	case partExe:
		e.Path, e.PathFlag = ev.path(x.data, x.flags), x.flags
	case partCwd:
		e.Cwd, e.CwdFlag = ev.path(x.data, x.flags), x.flags
	case partFilename:
		e.Filename = text(x.data)
	case partInterp:
		e.Interp = text(x.data)
	case partArgv:
		e.Args, e.ArgFlag = x.data, x.flags
	case partEnv:
		e.Env, e.EnvFlag = x.data, x.flags
	}
}

func (ev *Event) decodeFork(b []byte) error {
	if len(b) < forkSize {
		return ErrShort
	}
	ev.Fork = Fork{
		Parent:    ProcessKey{Start: ne.Uint64(b), TGID: ne.Uint32(b[8:])},
		ParentTID: ne.Uint32(b[12:]),
	}
	x, _, ok, err := nextExtra(b[forkSize:])
	if ok && x.arg == partIdentity {
		ev.Identity.decode(&x)
	}
	return err
}

func (ev *Event) decodeExit(b []byte) error {
	if len(b) < exitSize {
		return ErrShort
	}
	ev.Exit = Exit{Code: b[0], Signal: b[1], Core: b[2] != 0}
	return nil
}

func (ev *Event) decodeCgroup(b []byte) error {
	if len(b) < cgroupSize {
		return ErrShort
	}
	ev.Cgroup = Cgroup{ID: ne.Uint64(b), Hierarchy: ne.Uint32(b[8:]), Level: ne.Uint32(b[12:])}
	x, _, ok, err := nextExtra(b[cgroupSize:])
	if err != nil {
		return err
	}
	if ok && x.arg == partCgroup {
		ev.Cgroup.Path = text(x.data)
	}
	return nil
}
