package field

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/schema"
)

// The attributes that fields read. attrTable has the name of each.
const (
	AttrContainerID Attr = iota
	AttrContainerName
	AttrContainerImage
	AttrContainerImageTags
	AttrContainerImageID
	AttrContainerImageDigests
	AttrContainerRuntime
	AttrContainerPrivileged
	AttrContainerMounts
	AttrContainerStart
	AttrContainerIP
	AttrContainerHostPID
	AttrContainerHostNetwork
	AttrContainerHostIPC
	AttrPodUID
	AttrPodName
	AttrPodIP
	AttrPodSandbox
	AttrNamespaceName
	AttrK8sContainerName
	AttrNodeName
	AttrDeployment
	AttrStatefulSet
	AttrDaemonSet
	AttrCronJob
	AttrJob
	AttrReplicaSet
	AttrHostName
	AttrServiceName
	AttrServiceNamespace
	AttrServiceVersion
	AttrSystemdUnit
	AttrCgroupPath
	AttrPID
	AttrTID
	AttrVPID
	AttrVTID
	AttrParentPID
	AttrParentName
	AttrParentPath
	AttrParentCommand
	AttrAncestors
	AttrProcName
	AttrProcPath
	AttrProcArgs
	AttrProcCommand
	AttrProcEnv
	AttrProcCwd
	AttrUserID
	AttrUserName
	AttrUserHome
	AttrUserShell
	AttrRealUserID
	AttrGroupID
	AttrGroupName
	AttrLoginUID
	AttrLoginName
	AttrTTY
	AttrSID
	AttrPGID
	AttrVPGID
	AttrProcStart
	AttrPIDNSStart
	AttrStdinFrom
	AttrStdoutTo
	AttrScriptFrom
	AttrScriptTo
	AttrReplaced
	AttrExeUpper
	AttrExeLower
	AttrExeMemfd
	AttrExeWritable
	AttrIsAgent
	AttrExeInode
	AttrExeCtime
	AttrExeMtime
	AttrCapPermitted
	AttrCapEffective
	AttrCapInheritable
	AttrExitCode
	AttrExitSignal
	AttrSyscallName
	AttrSyscallReturn
	AttrSyscallDuration
	AttrErrorType
	AttrFilePath
	AttrFileRaw
	AttrFileResolved
	AttrFilePrevious
	AttrFilePreviousResolved
	AttrFileBase
	AttrFileMode
	AttrFileTarget
	AttrFileFlags
	AttrFileDescriptor
	AttrFileType
	AttrFileInode
	AttrFileDevice
	AttrFileUpper
	AttrFileLower
	AttrFileCreated
	AttrFileNameChanged
	AttrFileChanges
	AttrFileBeforeSize
	AttrFileBeforeMode
	AttrFileBeforeUser
	AttrFileBeforeSHA256
	AttrFileAfterSize
	AttrFileAfterMode
	AttrFileAfterUser
	AttrFileAfterSHA256
	AttrNetTransport
	AttrNetType
	AttrNetLocalAddress
	AttrNetLocalPort
	AttrNetPeerAddress
	AttrNetPeerPort
	AttrSocketFamily
	AttrSocketType
	AttrSocketRole
	AttrSocketConnected
	AttrExecArgv
	attrFixed // number of attributes that are not arguments
)

type attrRow struct {
	name string
	form Form
}

var attrTable = [attrFixed]attrRow{
	AttrContainerID:           {schema.ContainerID, FormText},
	AttrContainerName:         {schema.ContainerName, FormText},
	AttrContainerImage:        {schema.ContainerImageName, FormText},
	AttrContainerImageTags:    {schema.ContainerImageTags, FormList},
	AttrContainerImageID:      {schema.ContainerImageID, FormText},
	AttrContainerImageDigests: {schema.ContainerImageDigests, FormList},
	AttrContainerRuntime:      {schema.ContainerRuntime, FormText},
	AttrContainerPrivileged:   {schema.ContainerPrivileged, FormBool},
	AttrContainerMounts:       {schema.ContainerMounts, FormList},
	AttrContainerStart:        {schema.ContainerStart, FormTime},
	AttrContainerIP:           {schema.ContainerIP, FormText},
	AttrContainerHostPID:      {schema.ContainerHostPID, FormBool},
	AttrContainerHostNetwork:  {schema.ContainerHostNetwork, FormBool},
	AttrContainerHostIPC:      {schema.ContainerHostIPC, FormBool},
	AttrPodUID:                {schema.K8sPodUID, FormText},
	AttrPodName:               {schema.K8sPodName, FormText},
	AttrPodIP:                 {schema.K8sPodIP, FormText},
	AttrPodSandbox:            {schema.PodSandboxID, FormText},
	AttrNamespaceName:         {schema.K8sNamespaceName, FormText},
	AttrK8sContainerName:      {schema.K8sContainerName, FormText},
	AttrNodeName:              {schema.K8sNodeName, FormText},
	AttrDeployment:            {schema.K8sDeploymentName, FormText},
	AttrStatefulSet:           {schema.K8sStatefulSetName, FormText},
	AttrDaemonSet:             {schema.K8sDaemonSetName, FormText},
	AttrCronJob:               {schema.K8sCronJobName, FormText},
	AttrJob:                   {schema.K8sJobName, FormText},
	AttrReplicaSet:            {schema.K8sReplicaSetName, FormText},
	AttrHostName:              {schema.HostName, FormText},
	AttrServiceName:           {schema.ServiceName, FormText},
	AttrServiceNamespace:      {schema.ServiceNamespace, FormText},
	AttrServiceVersion:        {schema.ServiceVersion, FormText},
	AttrSystemdUnit:           {schema.SystemdUnit, FormText},
	AttrCgroupPath:            {schema.CgroupPath, FormText},
	AttrPID:                   {schema.ProcessPID, FormInt},
	AttrTID:                   {schema.ProcessTID, FormInt},
	AttrVPID:                  {schema.ProcessVPID, FormInt},
	AttrVTID:                  {schema.ProcessVTID, FormInt},
	AttrParentPID:             {schema.ProcessParentPID, FormInt},
	AttrParentName:            {schema.ProcessParentName, FormText},
	AttrParentPath:            {schema.ProcessParentPath, FormText},
	AttrParentCommand:         {schema.ProcessParentCommand, FormText},
	AttrAncestors:             {schema.ProcessAncestors, FormList},
	AttrProcName:              {schema.ProcessName, FormText},
	AttrProcPath:              {schema.ProcessPath, FormText},
	AttrProcArgs:              {schema.ProcessCommandArgs, FormList},
	AttrProcCommand:           {schema.ProcessCommandLine, FormText},
	AttrProcEnv:               {schema.ProcessEnvironment, FormList},
	AttrProcCwd:               {schema.ProcessWorkingDirectory, FormText},
	AttrUserID:                {schema.ProcessUserID, FormInt},
	AttrUserName:              {schema.ProcessUserName, FormText},
	AttrUserHome:              {schema.ProcessUserHome, FormText},
	AttrUserShell:             {schema.ProcessUserShell, FormText},
	AttrRealUserID:            {schema.ProcessRealUserID, FormInt},
	AttrGroupID:               {schema.ProcessGroupID, FormInt},
	AttrGroupName:             {schema.ProcessGroupName, FormText},
	AttrLoginUID:              {schema.ProcessLoginUID, FormInt},
	AttrLoginName:             {schema.ProcessLoginUserName, FormText},
	AttrTTY:                   {schema.ProcessTTY, FormInt},
	AttrSID:                   {schema.ProcessSID, FormInt},
	AttrPGID:                  {schema.ProcessPGID, FormInt},
	AttrVPGID:                 {schema.ProcessVPGID, FormInt},
	AttrProcStart:             {schema.ProcessCreationTime, FormTime},
	AttrPIDNSStart:            {schema.ProcessPIDNamespaceStart, FormTime},
	AttrStdinFrom:             {schema.ProcessStdinFrom, FormText},
	AttrStdoutTo:              {schema.ProcessStdoutTo, FormText},
	AttrReplaced:              {schema.ProcessReplaced, FormText},
	AttrScriptFrom:            {schema.ProcessScriptFrom, FormList},
	AttrScriptTo:              {schema.ProcessScriptTo, FormText},
	AttrExeUpper:              {schema.ProcessUpperLayer, FormBool},
	AttrExeLower:              {schema.ProcessLowerLayer, FormBool},
	AttrExeMemfd:              {schema.ProcessMemfd, FormBool},
	AttrExeWritable:           {schema.ProcessExecutableWritable, FormBool},
	AttrIsAgent:               {schema.Self, FormBool},
	AttrExeInode:              {schema.ProcessExecutableInode, FormInt},
	AttrExeCtime:              {schema.ProcessExecutableCtime, FormInt},
	AttrExeMtime:              {schema.ProcessExecutableMtime, FormInt},
	AttrCapPermitted:          {schema.ProcessCapPermitted, FormInt},
	AttrCapEffective:          {schema.ProcessCapEffective, FormInt},
	AttrCapInheritable:        {schema.ProcessCapInheritable, FormInt},
	AttrExitCode:              {schema.ProcessExitCode, FormInt},
	AttrExitSignal:            {schema.ProcessExitSignal, FormInt},
	AttrSyscallName:           {schema.SyscallName, FormText},
	AttrSyscallReturn:         {schema.SyscallReturn, FormInt},
	AttrSyscallDuration:       {schema.SyscallDuration, FormInt},
	AttrErrorType:             {schema.ErrorType, FormText},
	AttrFilePath:              {schema.FilePath, FormText},
	AttrFileRaw:               {schema.FileNameRaw, FormText},
	AttrFileResolved:          {schema.FileResolvedPath, FormText},
	AttrFilePrevious:          {schema.FilePreviousPath, FormText},
	AttrFilePreviousResolved:  {schema.FilePreviousResolvedPath, FormText},
	AttrFileBase:              {schema.FileBasePath, FormText},
	AttrFileMode:              {schema.FileMode, FormText},
	AttrFileTarget:            {schema.FileSymlinkTarget, FormText},
	AttrFileFlags:             {schema.FileOpenFlags, FormInt},
	AttrFileDescriptor:        {schema.FileDescriptor, FormInt},
	AttrFileType:              {schema.FileDescriptorType, FormText},
	AttrFileInode:             {schema.FileInode, FormText},
	AttrFileDevice:            {schema.FileDevice, FormText},
	AttrFileUpper:             {schema.FileUpperLayer, FormBool},
	AttrFileLower:             {schema.FileLowerLayer, FormBool},
	AttrFileCreated:           {schema.FileCreated, FormBool},
	AttrFileNameChanged:       {schema.FileNameChanged, FormBool},
	AttrFileChanges:           {schema.FileChanges, FormList},
	AttrFileBeforeSize:        {schema.FileBeforeSize, FormInt},
	AttrFileBeforeMode:        {schema.FileBeforeMode, FormText},
	AttrFileBeforeUser:        {schema.FileBeforeUser, FormInt},
	AttrFileBeforeSHA256:      {schema.FileBeforeSHA256, FormText},
	AttrFileAfterSize:         {schema.FileAfterSize, FormInt},
	AttrFileAfterMode:         {schema.FileAfterMode, FormText},
	AttrFileAfterUser:         {schema.FileAfterUser, FormInt},
	AttrFileAfterSHA256:       {schema.FileAfterSHA256, FormText},
	AttrNetTransport:          {schema.NetworkTransport, FormText},
	AttrNetType:               {schema.NetworkType, FormText},
	AttrNetLocalAddress:       {schema.NetworkLocalAddress, FormText},
	AttrNetLocalPort:          {schema.NetworkLocalPort, FormInt},
	AttrNetPeerAddress:        {schema.NetworkPeerAddress, FormText},
	AttrNetPeerPort:           {schema.NetworkPeerPort, FormInt},
	AttrSocketFamily:          {schema.SocketFamily, FormInt},
	AttrSocketType:            {schema.SocketType, FormInt},
	AttrSocketRole:            {schema.SocketRole, FormText},
	AttrSocketConnected:       {schema.SocketConnected, FormBool},
	AttrExecArgv:              {schema.SyscallArgPrefix + "argv", FormList},
}

// argNames are the names of the arguments of all events, as rules spell them
// in evt.arg.NAME.
var argNames = events.ArgNames()

var attrByName = func() map[string]Attr {
	m := make(map[string]Attr, int(attrFixed)+len(argNames))
	for i := range attrTable {
		m[attrTable[i].name] = Attr(i)
	}
	for i, name := range argNames {
		m[schema.SyscallArgPrefix+name] = attrFixed + Attr(i)
	}
	return m
}()

// NumAttrs is how many attributes there are, arguments included.
func NumAttrs() int { return int(attrFixed) + len(argNames) }

// AttrByName finds the number of an attribute by its full name, for the one
// pass in which a source indexes a record. ok is false for attributes that no
// field reads.
func AttrByName(name string) (a Attr, ok bool) {
	a, ok = attrByName[name]
	return a, ok
}

// ArgAttr finds the attribute of a system call's argument by the argument's
// own name.
func ArgAttr(arg string) (Attr, bool) { return AttrByName(schema.SyscallArgPrefix + arg) }

// Name is the full name of the attribute.
func (a Attr) Name() string {
	if a < attrFixed {
		return attrTable[a].name
	}
	return schema.SyscallArgPrefix + argNames[a-attrFixed]
}

// Form says how the attribute is represented.
func (a Attr) Form() Form {
	if a < attrFixed {
		return attrTable[a].form
	}
	return FormAny
}

// IsArg reports whether the attribute is a system call's argument.
func (a Attr) IsArg() bool { return a >= attrFixed }

// String is the attribute's name without the prefix of arguments.
func (a Attr) String() string { return strings.TrimPrefix(a.Name(), schema.SyscallArgPrefix) }
