// Package schema holds the attribute, event and metric names that Sightglass
// writes and reads: the contract between the receiver, the policy processor,
// the latency connector, the terminal and every back end.
//
// Names follow the OpenTelemetry semantic conventions 1.44; where those have
// none, a name starts with "sightglass.". The package imports nothing of ours.
package schema

// ScopeName is the instrumentation scope of everything the ebpf receiver emits.
const ScopeName = "github.com/sightglass/sightglass/receiver/ebpfreceiver"

// Resource attributes. A resource is one container, or one systemd unit or
// executable outside containers.
const (
	ContainerID        = "container.id"   // full id as the runtime gives it, without prefix
	ContainerName      = "container.name" // name by the runtime, where it is readable without an API server
	ContainerImageName = "container.image.name"
	ContainerRuntime   = "container.runtime.name" // containerd, cri-o, docker, podman, lxc, ...
	K8sPodUID          = "k8s.pod.uid"            // with dashes
	K8sPodName         = "k8s.pod.name"
	K8sNamespaceName   = "k8s.namespace.name"
	K8sContainerName   = "k8s.container.name"
	K8sNodeName        = "k8s.node.name"
	HostID             = "host.id"   // /etc/machine-id, else the boot id
	HostName           = "host.name" // kernel's nodename
	ServiceName        = "service.name"
	ServiceNamespace   = "service.namespace"
	ServiceVersion     = "service.version"
	ServiceInstanceID  = "service.instance.id"
	SystemdUnit        = "sightglass.systemd.unit" // nginx.service
	CgroupPath         = "process.linux.cgroup"    // path below the cgroup mount, host view
)

// Process attributes: the acting process of an activity record.
const (
	ProcessKey              = "sightglass.process.key"        // "<tgid>:<start, boot ns>": unique on the host until it reboots
	ProcessParentKey        = "sightglass.process.parent.key" // same form
	ProcessPID              = "process.pid"                   // int, thread group id as the host sees it
	ProcessTID              = "thread.id"                     // int, host view
	ProcessVPID             = "process.vpid"                  // int, pid inside the innermost pid namespace
	ProcessParentPID        = "process.parent_pid"            // int
	ProcessParentName       = "sightglass.process.parent.name"
	ProcessParentPath       = "sightglass.process.parent.executable.path"
	ProcessParentCommand    = "sightglass.process.parent.command_line"
	ProcessAncestors        = "sightglass.process.ancestors" // string slice: names, nearest (the parent) first
	ProcessName             = "process.executable.name"      // comm, at most 15 bytes, as Falco's proc.name; of applets of BusyBox their name
	ProcessPath             = "process.executable.path"      // kernel's path of the executable
	ProcessCommandArgs      = "process.command_args"         // string slice, argv including argv[0]
	ProcessCommandLine      = "process.command_line"         // only where args are not known as a vector
	ProcessWorkingDirectory = "process.working_directory"
	ProcessUserID           = "process.user.id"   // int, effective uid
	ProcessUserName         = "process.user.name" // by the host's or the container's passwd file
	ProcessRealUserID       = "process.real_user.id"
	ProcessGroupID          = "sightglass.process.group.id" // int, effective gid
	ProcessLoginUID         = "sightglass.process.login_user.id"
	ProcessLoginUserName    = "sightglass.process.login_user.name"
	ProcessSessionID        = "sightglass.process.audit_session.id" // audit session; absent when unset
	ProcessTTY              = "sightglass.process.tty"              // int, kernel device number (major<<8|minor form of stat(2)); absent when none
	ProcessInteractive      = "process.interactive"                 // bool: has a controlling terminal
	ProcessCreationTime     = "process.creation.time"               // RFC 3339, ns
	ProcessExitCode         = "process.exit.code"
	ProcessExitSignal       = "sightglass.process.exit.signal"    // number of the signal that ended it
	ProcessUpperLayer       = "sightglass.process.upper_layer"    // bool: the executable is not part of the image (overlayfs upper)
	ProcessMemfd            = "sightglass.process.memfd"          // bool: run from memory, no file
	ProcessArgsTruncated    = "sightglass.process.args_truncated" // bool, only present when true
)

// System calls.
const (
	SyscallName      = "syscall.name"
	SyscallReturn    = "syscall.return_value"        // int; negative errno on failure
	SyscallArgPrefix = "syscall.arg."                // + the argument's name in the syscall table
	SyscallABI       = "sightglass.syscall.abi"      // "x86", "x32"; absent for the machine's own
	SyscallDuration  = "sightglass.syscall.duration" // int ns between enter and exit
	ErrorType        = "error.type"                  // errno name (ENOENT) or the protocol's code
	Truncated        = "sightglass.truncated"        // string slice: names of the attributes that were cut at a bound
	Late             = "sightglass.late"             // string slice: arguments read at exit because their page was absent at enter
)

// Files. FilePath is what the program named, made absolute lexically, as
// Falco's fd.name; FileResolvedPath is the kernel's own path, which symlinks,
// hard links and bind mounts cannot disguise.
const (
	FilePath         = "file.path"
	FileName         = "file.name"
	FileDirectory    = "file.directory"
	FileNameRaw      = "sightglass.file.path.raw"      // the argument as given
	FileResolvedPath = "sightglass.file.path.resolved" // of what is only named: its directory as it was right after the call, and the name there
	FilePreviousPath = "sightglass.file.path.previous" // source of rename and link
	FileOperation    = "sightglass.file.operation"     // open, create, delete, rename, link, symlink, mkdir, rmdir, chmod
	FileMode         = "file.mode"                     // octal text, "0644"
	FileInode        = "file.inode"                    // text
	FileDevice       = "sightglass.file.device"        // "major:minor"
	FileOpenFlags    = "sightglass.file.open_flags"    // int, the kernel's O_ bits
	FileDescriptor   = "sightglass.file.descriptor"    // int
)

// Network.
const (
	NetworkTransport    = "network.transport" // tcp, udp, unix, ...
	NetworkType         = "network.type"      // ipv4, ipv6, unix
	NetworkLocalAddress = "network.local.address"
	NetworkLocalPort    = "network.local.port"
	NetworkPeerAddress  = "network.peer.address" // or the path of a unix socket
	NetworkPeerPort     = "network.peer.port"
	NetworkNamespace    = "sightglass.network.namespace" // int, inode of the network namespace
	SocketFamily        = "sightglass.socket.family"     // int, AF_
	SocketType          = "sightglass.socket.type"       // int, SOCK_
	ServerAddress       = "server.address"
	ServerPort          = "server.port"
	ClientAddress       = "client.address"
	ClientPort          = "client.port"
)

// Requests.
const (
	HTTPRequestMethod         = "http.request.method"
	HTTPRequestMethodOriginal = "http.request.method_original"
	HTTPResponseStatusCode    = "http.response.status_code"
	HTTPRoute                 = "http.route"
	URLPath                   = "url.path"
	URLQuery                  = "url.query"
	URLScheme                 = "url.scheme"
	TLSProtocolName           = "tls.protocol.name"    // "tls": the request went over an encrypted connection
	TLSProtocolVersion        = "tls.protocol.version" // "1.3"; absent when the handshake was not seen
	URLFull                   = "url.full"
	GraphQLOperationType      = "graphql.operation.type"
	GraphQLOperationName      = "graphql.operation.name"
	AWSS3Bucket               = "aws.s3.bucket"
	URLTemplate               = "url.template"
	UserAgent                 = "user_agent.original"
	NetworkProtocolName       = "network.protocol.name"
	NetworkProtocolVersion    = "network.protocol.version"
	ServicePeerName           = "service.peer.name"
	ServicePeerNamespace      = "service.peer.namespace"
	RPCSystemName             = "rpc.system.name"
	RPCMethod                 = "rpc.method" // full: package.Service/Method
	RPCMethodOriginal         = "rpc.method_original"
	RPCStatusCode             = "rpc.status_code"
	DNSQuestionName           = "dns.question.name"
	DNSAnswers                = "dns.answers"                           // string slice
	DNSQuestionType           = "sightglass.dns.question.type"          // A, AAAA, ...
	RequestClass              = "sightglass.request.class"              // unary, stream, wait, probe, oneway
	RequestRouteInferred      = "sightglass.http.route.inferred"        // template guessed from the path
	RequestRole               = "sightglass.request.role.confidence"    // "known" is not written; "guessed" is
	RequestTimeToFirstByte    = "sightglass.request.time_to_first_byte" // double, s
	RequestIncomplete         = "sightglass.request.incomplete"         // why: "response_lost", "connection_closed", "truncated"
	RequestSource             = "sightglass.request.source"             // "ebpf"
	RequestInstrumented       = "sightglass.request.instrumented"       // true: the process makes spans of its own; false is not written
)

// Request classes, the values of RequestClass.
const (
	ClassUnary  = "unary"
	ClassStream = "stream"
	ClassWait   = "wait"
	ClassProbe  = "probe"
	ClassOneWay = "oneway"
)

// Event names of log records.
const (
	EventProcessExec    = "sightglass.process.exec"
	EventProcessExit    = "sightglass.process.exit"
	EventFileOpen       = "sightglass.file.open"
	EventFileChange     = "sightglass.file.change"
	EventFileModified   = "sightglass.file.modified" // a critical file is not what it was: both states, and one record for each process that touched it
	EventNetworkConnect = "sightglass.network.connect"
	EventNetworkAccept  = "sightglass.network.accept"
	EventNetworkListen  = "sightglass.network.listen"
	EventLoginStart     = "sightglass.login.start"
	EventLoginEnd       = "sightglass.login.end"
	EventSyscall        = "sightglass.syscall"
	EventPolicyMatch    = "sightglass.policy.match"
	EventPolicyStep     = "sightglass.policy.step" // a further step of the act that a match has told
)

// Detections (EventPolicyMatch).
const (
	RuleName         = "security_rule.name"
	RuleSet          = "security_rule.ruleset.name" // the rule file's name without its extension
	RuleReference    = "security_rule.reference"    // link for the operator, if the rule has one
	RuleDescription  = "security_rule.description"
	RuleTags         = "sightglass.policy.tags"       // string slice
	RulePriority     = "sightglass.policy.priority"   // Falco's spelling: Emergency ... Debug
	RuleSource       = "sightglass.policy.source"     // syscall
	PolicySuppressed = "sightglass.policy.suppressed" // int: matches that the rate limit held back, which this record stands for
	PolicyFollows    = "sightglass.policy.follows"    // of a step: the rule that told of the act
	PolicyRemedy     = "sightglass.policy.remedy"     // what to do about it, in the rule's words
	PolicyField      = "sightglass.policy.field."     // + name of a field that the output names, value as text
)

// Metrics that the ebpf receiver emits into its metrics pipeline.
const (
	MetricProcessCount      = "sightglass.process.count"     // gauge {process}: alive and known
	MetricContainerCount    = "sightglass.container.count"   // gauge {container}: with at least one process
	MetricEventsReceived    = "sightglass.event.received"    // cumulative sum {event}; attribute ClassAttr
	MetricEventsFiltered    = "sightglass.event.filtered"    // cumulative sum {event}; ClassAttr, ReasonAttr
	MetricEventsLost        = "sightglass.event.lost"        // cumulative sum {event}; ClassAttr, ReasonAttr, CPUAttr
	MetricHookStatus        = "sightglass.hook.status"       // gauge 1 = attached, 0 = not; HookAttr, ReasonAttr when 0
	MetricActiveRequests    = "http.server.active_requests"  // up-down sum {request}: being served; HTTPRequestMethod, URLScheme
	MetricOpaqueConnections = "sightglass.connection.opaque" // cumulative sum {connection}: seen and not decoded; NetworkProtocolName is what they began as, ReasonAttr why: "tls", "io_uring", ...
	MetricRequestCount      = "sightglass.request.count"     // cumulative sum {request}: exchanges assembled; ReasonAttr "complete" or why not
	MetricSyscallDuration   = "sightglass.syscall.duration"  // histogram s; SyscallName; off by default
)

// Attributes of the metrics above.
const (
	ClassAttr  = "sightglass.event.class" // "security", "requests"
	ReasonAttr = "sightglass.reason"
	DetailAttr = "sightglass.detail" // what the reason does not say: the library in the way of an encrypted connection
	CPUAttr    = "sightglass.cpu"    // int
	HookAttr   = "sightglass.hook.name"
)

// Metrics that the service_latency connector emits; seconds, by the conventions.
const (
	MetricHTTPServerDuration = "http.server.request.duration"
	MetricHTTPClientDuration = "http.client.request.duration"
	MetricRPCServerDuration  = "rpc.server.call.duration"
	MetricRPCClientDuration  = "rpc.client.call.duration"
	MetricDBClientDuration   = "db.client.operation.duration"
	MetricDBServerDuration   = "sightglass.db.server.operation.duration"

	MetricMessagingClientDuration  = "messaging.client.operation.duration"
	MetricMessagingSent            = "messaging.client.sent.messages"
	MetricMessagingConsumed        = "messaging.client.consumed.messages"
	MetricMessagingProcessDuration = "messaging.process.duration"
	MetricMessagingServerDuration  = "sightglass.messaging.server.operation.duration"
)

// Facts that policies ask for beyond the ones above. A receiver writes those
// that it knows; an absent one has no value in a policy.
const (
	ContainerImageTags        = "container.image.tags"                        // string slice; the first is the tag it was started by
	ContainerImageID          = "container.image.id"                          // as the runtime gives it
	ContainerImageDigests     = "container.image.repo_digests"                // string slice
	ContainerPrivileged       = "sightglass.container.privileged"             // bool
	ContainerMounts           = "sightglass.container.mounts"                 // string slice, "source:destination:mode:true|false:propagation"
	ContainerStart            = "sightglass.container.start"                  // RFC 3339, ns
	ContainerIP               = "sightglass.container.ip"                     // address as text
	ContainerHostPID          = "sightglass.container.host_pid"               // bool: shares the host's pid namespace
	ContainerHostNetwork      = "sightglass.container.host_network"           // bool
	ContainerHostIPC          = "sightglass.container.host_ipc"               // bool
	ContainerLabelPrefix      = "container.label."                            // + the label's key
	K8sPodLabelPrefix         = "k8s.pod.label."                              // + the label's key
	K8sPodIP                  = "k8s.pod.ip"                                  // address as text
	PodSandboxID              = "sightglass.k8s.pod.sandbox.id"               // full id of the pod's pause container
	ProcessVTID               = "sightglass.thread.vtid"                      // int, thread id inside the innermost pid namespace
	ProcessSID                = "sightglass.process.session.id"               // int, session as setsid(2) makes it, innermost pid namespace
	ProcessPGID               = "process.group_leader.pid"                    // int, host view
	ProcessVPGID              = "process.vpgid"                               // int, innermost pid namespace
	ProcessStdinFrom          = "sightglass.process.stdin.from"               // name of the program at the beginning of the pipeline that this one was started to read
	ProcessStdoutTo           = "sightglass.process.stdout.to"                // name of the program at the end of the pipeline that this one was started to write
	ProcessReplaced           = "sightglass.process.replaced"                 // of an exec: name of the program that this process had executed before
	ProcessScriptFrom         = "sightglass.process.script.from"              // string slice: names of the programs whose output this one was started to run: sh -c "$(curl ...)", sh <(curl ...)
	ProcessScriptTo           = "sightglass.process.script.to"                // name of the program that was started before this one to run what this one writes
	ProcessEnvironment        = "sightglass.process.environment"              // string slice, NAME=value; only when a policy asks for it
	ProcessGroupName          = "sightglass.process.group.name"               // name of the effective gid
	ProcessUserHome           = "sightglass.process.user.home"                // from the passwd file
	ProcessUserShell          = "sightglass.process.user.shell"               // from the passwd file
	ProcessPIDNamespaceStart  = "sightglass.process.pid_namespace.start"      // RFC 3339, ns: start of the namespace's first process
	ProcessLowerLayer         = "sightglass.process.lower_layer"              // bool: the executable lies in a lower layer of an overlayfs
	ProcessExecutableWritable = "sightglass.process.executable.writable"      // bool: the acting user may write the executable
	ProcessExecutableInode    = "sightglass.process.executable.inode"         // int
	ProcessExecutableCtime    = "sightglass.process.executable.ctime"         // int, ns since 1970
	ProcessExecutableMtime    = "sightglass.process.executable.mtime"         // int, ns since 1970
	ProcessCapPermitted       = "sightglass.process.capabilities.permitted"   // int, bit set as in capability.h
	ProcessCapEffective       = "sightglass.process.capabilities.effective"   // int, bit set
	ProcessCapInheritable     = "sightglass.process.capabilities.inheritable" // int, bit set
	FileDescriptorType        = "sightglass.file.descriptor.type"             // file, directory, ipv4, ipv6, unix, pipe, event, signalfd, eventpoll, inotify, timerfd, netlink, bpf, userfaultfd, io_uring, memfd, pidfd
	FileUpperLayer            = "sightglass.file.upper_layer"                 // bool: the file lies in the upper layer of an overlayfs
	FileLowerLayer            = "sightglass.file.lower_layer"                 // bool
	FileBasePath              = "sightglass.file.path.base"                   // the directory descriptor's path that a path argument is relative to; absent for the working directory
	FileCreated               = "sightglass.file.created"                     // bool: this call created the file
	FileNameChanged           = "sightglass.file.name_changed"                // bool: this call gave the descriptor its name
	SocketRole                = "sightglass.socket.role"                      // client, server; absent while undecided
	SocketConnected           = "sightglass.socket.connected"                 // bool: connected before this call, or by it (connect, accept)
)

// What k8s_attributes writes about a pod and its owner, for scopes of policies.
// It names labels in the plural unless its feature gate for the conventions'
// singular is set.
const (
	K8sPodLabelsPrefix       = "k8s.pod.labels."       // + the label's key
	K8sNamespaceLabelPrefix  = "k8s.namespace.label."  // + the label's key
	K8sNamespaceLabelsPrefix = "k8s.namespace.labels." // + the label's key
	K8sDeploymentName        = "k8s.deployment.name"
	K8sStatefulSetName       = "k8s.statefulset.name"
	K8sDaemonSetName         = "k8s.daemonset.name"
	K8sCronJobName           = "k8s.cronjob.name"
	K8sJobName               = "k8s.job.name"
	K8sReplicaSetName        = "k8s.replicaset.name"
)

// Sealed is where the program that made the record keeps what it masked in it,
// for its policies (int). It means nothing elsewhere; security_policy takes it
// out of what passes on.
const Sealed = "sightglass.sealed"

// Self marks a record of the agent's own doing (bool, only present when true).
// Such records reach policies and nothing else.
const Self = "sightglass.self"

// FilePreviousResolvedPath is to FilePreviousPath what FileResolvedPath is to
// FilePath.
const FilePreviousResolvedPath = "sightglass.file.path.previous.resolved"

// What became of a critical file (EventFileModified).
const (
	FileChanges      = "sightglass.file.changes" // string slice: created, deleted, content, mode, owner
	FileBeforeSize   = "sightglass.file.before.size"
	FileBeforeMode   = "sightglass.file.before.mode" // octal text, "0644"
	FileBeforeUser   = "sightglass.file.before.owner.id"
	FileBeforeGroup  = "sightglass.file.before.group.id"
	FileBeforeSHA256 = "sightglass.file.before.hash.sha256" // hexadecimal; of regular files up to 2 MiB
	FileAfterSize    = "sightglass.file.after.size"
	FileAfterMode    = "sightglass.file.after.mode"
	FileAfterUser    = "sightglass.file.after.owner.id"
	FileAfterGroup   = "sightglass.file.after.group.id"
	FileAfterSHA256  = "sightglass.file.after.hash.sha256"
)

// FileSymlinkTarget is the text that a new symbolic link holds.
const FileSymlinkTarget = "file.symbolic_link.target_path"

// Databases.
const (
	DBSystemName              = "db.system.name" // postgresql, mysql, mariadb, redis, memcached, neo4j, ...
	DBNamespace               = "db.namespace"
	DBCollectionName          = "db.collection.name"
	DBOperationName           = "db.operation.name"
	DBOperationBatchSize      = "db.operation.batch.size"      // int
	DBOperationIndex          = "db.operation.parameter.index" // what stands for {index} in a path of Elasticsearch
	DBOperationID             = "db.operation.parameter.id"    // and for {id}
	DBQuerySummary            = "db.query.summary"
	DBQueryText               = "db.query.text" // without values
	DBStoredProcedureName     = "db.stored_procedure.name"
	DBResponseStatusCode      = "db.response.status_code"   // SQLSTATE, MariaDB's number, the prefix of a Redis error
	DBResponseReturnedRows    = "db.response.returned_rows" // int
	CassandraConsistencyLevel = "cassandra.consistency.level"
	DBStatementUnseen         = "sightglass.db.statement.unseen"  // bool: prepared before the agent joined; its text is not known
	DBResponseError           = "sightglass.db.response.sqlstate" // SQLSTATE of a system whose status code is its own number
)

// Messaging.
const (
	MessagingSystem               = "messaging.system"         // kafka, rabbitmq
	MessagingOperationName        = "messaging.operation.name" // as the system calls it
	MessagingOperationType        = "messaging.operation.type" // send, receive, process, settle; absent for what is none of these
	MessagingDestinationName      = "messaging.destination.name"
	MessagingDestinationTemporary = "messaging.destination.temporary" // bool
	MessagingPartition            = "messaging.destination.partition.id"
	MessagingDestinations         = "sightglass.messaging.destinations" // string slice: where there are several
	MessagingConsumerGroup        = "messaging.consumer.group.name"
	MessagingClientID             = "messaging.client.id"
	MessagingBatchCount           = "messaging.batch.message_count" // int
	MessagingRoutingKey           = "messaging.rabbitmq.destination.routing_key"
	MessagingDeliveryTag          = "messaging.rabbitmq.message.delivery_tag" // int
	KafkaTopicID                  = "sightglass.kafka.topic.id"               // of a topic whose name was not seen, as Kafka's tools print it
	KafkaSignal                   = "sightglass.kafka.signal"                 // code of a response that tells the client what to do next, and is no failure
)
