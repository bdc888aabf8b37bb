using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using Fettle.Engine.Doubles;

namespace Fettle.Engine;

/// <summary>One powershell.exe: a runspace, a script, what it writes and the code it ends with.</summary>
internal static class PowerShellProcess
{
    /// <summary>What powershell.exe ends with when it does not understand its parameters.</summary>
    private const int BadParameters = unchecked((int)0xFFFD0000);

    private const string Succeeded = "fettleEngineSucceeded";

    public static int Run(IReadOnlyList<string> args)
    {
        CommandLine line;
        try
        {
            line = CommandLine.Parse(args);
        }
        catch (ArgumentException error)
        {
            Console.Error.WriteLine(error.Message);
            return BadParameters;
        }
        return Run(line);
    }

    private static int Run(CommandLine line)
    {
        var model = Model.Read();
        ConsoleHost.UseCodePage(model.Whole("codePage", 437));
        var mode = Enum.Parse<PSLanguageMode>(model.Text("languageMode", "FullLanguage"));
        var host = new ConsoleHost();
        var errors = new ErrorStream(line.IsEncoded && Console.IsErrorRedirected);
        if (!line.IsFile && model.Flag("firstUseProgress", true))
        {
            errors.Progress("Preparing modules for first use.");
        }
        using var runspace = RunspaceFactory.CreateRunspace(host, Sessions.Create(mode));
        runspace.Open();
        Sessions.PresentAsDesktopEdition(runspace, model.Text("powershellVersion", "5.1.20348.2227"));
        var code = Execute(runspace, line, errors);
        errors.End();
        Console.Out.Flush();
        return host.ExitCode ?? code;
    }

    private static int Execute(Runspace runspace, CommandLine line, ErrorStream errors)
    {
        using var shell = PowerShell.Create(runspace);
        if (line.IsFile)
        {
            shell.AddCommand(Path.GetFullPath(line.Script));
            foreach (var argument in line.Arguments)
            {
                shell.AddArgument(argument);
            }
        }
        else
        {
            shell.AddScript($"{line.Script}\n$global:{Succeeded} = $?", useLocalScope: false);
        }
        var output = new PSDataCollection<PSObject>();
        output.DataAdded += (_, _) => Print(output.ReadAll());
        shell.Streams.Error.DataAdded += (_, _) => Print(shell.Streams.Error.ReadAll(), errors);
        try
        {
            shell.Invoke(null, output);
        }
        catch (RuntimeException error)
        {
            errors.Error(error.ErrorRecord);
            return 1;
        }
        return !line.IsFile && LastFailed(runspace) ? 1 : 0;
    }

    private static void Print(Collection<PSObject> output)
    {
        foreach (var item in output)
        {
            ConsoleHost.WriteLine(item is null ? "" : LanguagePrimitives.ConvertTo<string>(item));
        }
    }

    private static void Print(Collection<ErrorRecord> records, ErrorStream errors)
    {
        foreach (var record in records)
        {
            errors.Error(record);
        }
    }

    /// `powershell -Command` ends with 1 when $? is false after the last statement.
    private static bool LastFailed(Runspace runspace) =>
        runspace.SessionStateProxy.GetVariable(Succeeded) is false;
}
