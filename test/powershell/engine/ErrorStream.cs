using System.Management.Automation;
using System.Reflection;
using System.Text;
using System.Xml;

namespace Fettle.Engine;

/// <summary>
/// What powershell.exe writes to stderr: text, or, started with -EncodedCommand and a redirected stream, one or more
/// CLIXML documents made by the engine's own serialiser (MS-PSRP section 2.2.5).
/// </summary>
internal sealed class ErrorStream(bool isClixml)
{
    private const string Header = "#< CLIXML\r\n";
    private static readonly Type Serializer = typeof(PSObject).Assembly.GetType("System.Management.Automation.Serializer")!;

    private bool _hasHeader;
    private StringBuilder? _document;
    private object? _serializer;
    private XmlWriter? _writer;

    /// <summary>A progress record, as a document of its own: what the first use of a module leaves.</summary>
    public void Progress(string activity)
    {
        if (isClixml)
        {
            var progress = new PSObject();
            progress.Properties.Add(new PSNoteProperty("SourceId", 1L));
            progress.Properties.Add(new PSNoteProperty("Record", new ProgressRecord(0, activity, " ")));
            Write(progress, "progress");
            Flush();
        }
    }

    public void Error(ErrorRecord record)
    {
        foreach (var line in ErrorText.Of(record).Split('\n'))
        {
            if (isClixml)
            {
                Write($"{line}\r\n", "Error");
            }
            else
            {
                Console.Error.Write($"{line}\r\n");
            }
        }
    }

    public void End() => Flush();

    private void Write(object item, string stream)
    {
        if (_serializer is null)
        {
            _document = new StringBuilder();
            _writer = XmlWriter.Create(_document, new XmlWriterSettings { OmitXmlDeclaration = true, CheckCharacters = false });
            _serializer = Activator.CreateInstance(Serializer, BindingFlags.NonPublic | BindingFlags.Instance, null, [_writer], null)!;
        }
        Call("Serialize", item, stream);
    }

    private void Flush()
    {
        if (_serializer is null)
        {
            return;
        }
        Call("Done");
        _writer!.Flush();
        Console.Error.Write((_hasHeader ? "" : Header) + _document);
        Console.Error.Flush();
        _hasHeader = true;
        _serializer = null;
    }

    private void Call(string name, params object[] arguments)
    {
        Type[] parameters = arguments.Length == 2 ? [typeof(object), typeof(string)] : [];
        Serializer.GetMethod(name, BindingFlags.NonPublic | BindingFlags.Instance, parameters)!.Invoke(_serializer, arguments);
    }
}

/// <summary>An error as Windows PowerShell 5.1 shows it.</summary>
internal static class ErrorText
{
    public static string Of(ErrorRecord record)
    {
        var text = new StringBuilder();
        text.Append(record.InvocationInfo?.MyCommand is { CommandType: CommandTypes.Cmdlet } command ? $"{command.Name} : " : "");
        text.Append(record.ErrorDetails?.Message ?? record.Exception.Message);
        if (record.InvocationInfo is { PositionMessage.Length: > 0 } invocation)
        {
            text.Append('\n').Append(invocation.PositionMessage.ReplaceLineEndings("\n"));
        }
        text.Append($"\n    + CategoryInfo          : {record.CategoryInfo}");
        text.Append($"\n    + FullyQualifiedErrorId : {record.FullyQualifiedErrorId}");
        return text.Append("\n ").ToString();
    }
}
