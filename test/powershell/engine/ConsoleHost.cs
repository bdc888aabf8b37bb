using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Text;

namespace Fettle.Engine;

/// <summary>The console of a process whose output goes into pipes.</summary>
internal sealed class ConsoleHost : PSHost
{
    private readonly PipedInterface _ui = new();

    public int? ExitCode { get; private set; }
    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;
    public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;
    public override Guid InstanceId { get; } = Guid.NewGuid();
    public override string Name => "ConsoleHost";
    public override PSHostUserInterface UI => _ui;
    public override Version Version => new(5, 1, 20348, 2227);

    /// <summary>Windows writes and reads redirected streams in the machine's OEM code page.</summary>
    public static void UseCodePage(int codePage)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var encoding = Encoding.GetEncoding(codePage);
        Console.OutputEncoding = encoding;
        Console.InputEncoding = encoding;
        Console.Out.NewLine = "\r\n";
        Console.Error.NewLine = "\r\n";
    }

    public static void WriteLine(string text) => Console.Out.Write($"{text}\r\n");

    public override void EnterNestedPrompt() => throw new PSNotSupportedException();
    public override void ExitNestedPrompt() => throw new PSNotSupportedException();
    public override void NotifyBeginApplication() { }
    public override void NotifyEndApplication() { }
    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;

    private sealed class PipedInterface : PSHostUserInterface
    {
        public override PSHostRawUserInterface? RawUI => null;
        /// Colours are of PowerShell 7 only.
        public override void Write(string value) => Console.Out.Write(GetOutputString(value, supportsVirtualTerminal: false));
        public override void Write(ConsoleColor foreground, ConsoleColor background, string value) => Write(value);
        public override void WriteLine(string value) => Write($"{value}\r\n");
        public override void WriteDebugLine(string message) => ConsoleHost.WriteLine($"DEBUG: {message}");
        public override void WriteErrorLine(string value) => Console.Error.Write($"{value}\r\n");
        public override void WriteProgress(long sourceId, ProgressRecord record) { }
        public override void WriteVerboseLine(string message) => ConsoleHost.WriteLine($"VERBOSE: {message}");
        public override void WriteWarningLine(string message) => ConsoleHost.WriteLine($"WARNING: {message}");
        public override string ReadLine() => throw NonInteractive();
        public override System.Security.SecureString ReadLineAsSecureString() => throw NonInteractive();
        public override Dictionary<string, PSObject> Prompt(string caption, string message, System.Collections.ObjectModel.Collection<FieldDescription> descriptions) => throw NonInteractive();
        public override int PromptForChoice(string caption, string message, System.Collections.ObjectModel.Collection<ChoiceDescription> choices, int defaultChoice) => throw NonInteractive();
        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw NonInteractive();
        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName, PSCredentialTypes allowed, PSCredentialUIOptions options) => throw NonInteractive();

        private static PSInvalidOperationException NonInteractive() =>
            new("Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.");
    }
}
