package policies_test

import "github.com/sightglass/sightglass/internal/schema"

var containersScenarios = []scenario{
	{
		rule: "Privileged container started",
		fires: []activity{
			exec("sh", pod("shop"), privileged, attr(schema.ProcessVPID, int64(1)), tty(pts0), runcInit),
			exec("nsenter -t 1 -m", pod("shop"), privileged, sharesHostPIDs("create"), runcInit),
		},
		silent: []activity{
			exec("sh", pod("shop"), attr(schema.ProcessVPID, int64(1)), runcInit),
			exec("probe", pod("shop"), privileged, attr(schema.ProcessVPID, int64(7)), runcInit),
			exec("probe", pod("shop"), privileged, sharesHostPIDs("exec"), runcInit),
			exec("sleep 1", pod("shop"), privileged, sharesHostPIDs("create"), below("sh", "containerd-shim")),
			exec("app", pod("shop"), privileged, attr(schema.ProcessVPID, int64(1)), attr(schema.ProcessReplaced, "sh")),
			exec("kube-proxy", pod("kube-system"), privileged, attr(schema.ProcessVPID, int64(1)), runcInit),
		},
	},
}
