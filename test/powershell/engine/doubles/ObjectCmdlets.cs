using System.Collections;
using System.Management.Automation;

namespace Fettle.Engine.Doubles;

/// <summary>New-Object with -TypeName, -ArgumentList and -Property, or -ComObject.</summary>
[Cmdlet(VerbsCommon.New, "Object", DefaultParameterSetName = "Net")]
public sealed class NewObjectCommand : PSCmdlet
{
    [Parameter(ParameterSetName = "Net", Mandatory = true, Position = 0)]
    public string TypeName { get; set; } = "";

    [Parameter(ParameterSetName = "Net", Position = 1)]
    [Alias("Args")]
    public object[] ArgumentList { get; set; } = [];

    [Parameter(ParameterSetName = "Com", Mandatory = true, Position = 0)]
    public string ComObject { get; set; } = "";

    [Parameter(ParameterSetName = "Com")]
    public SwitchParameter Strict { get; set; }

    [Parameter]
    public IDictionary? Property { get; set; }

    protected override void EndProcessing()
    {
        var isConstrained = SessionState.LanguageMode == PSLanguageMode.ConstrainedLanguage;
        var made = ComObject.Length > 0 ? NewCom(isConstrained) : NewNet(isConstrained);
        foreach (DictionaryEntry entry in Property ?? new Hashtable())
        {
            var name = (string)entry.Key;
            if (made.Properties[name] is { } property)
            {
                property.Value = entry.Value;
            }
            else
            {
                made.Properties.Add(new PSNoteProperty(name, entry.Value));
            }
        }
        WriteObject(made);
    }

    /// A locked-down session may make no COM objects but those of a short list, on which ours are not.
    private PSObject NewCom(bool isConstrained)
    {
        if (isConstrained)
        {
            throw Refused("CannotCreateComTypeConstrained", "Cannot create type. Only core types are supported in this language mode.");
        }
        return PSObject.AsPSObject(ComClasses.Create(ComObject));
    }

    private PSObject NewNet(bool isConstrained)
    {
        if (TypeName.Equals("PSObject", StringComparison.OrdinalIgnoreCase) || TypeName.EndsWith(".PSObject", StringComparison.OrdinalIgnoreCase))
        {
            return new PSObject();
        }
        var type = LanguagePrimitives.ConvertTo<Type>(TypeName);
        if (isConstrained && type is { IsPrimitive: false } && type != typeof(string) && type != typeof(Hashtable))
        {
            throw Refused("CannotCreateTypeConstrainedLanguage", "Cannot create type. Only core types are supported in this language mode.");
        }
        var arguments = ArgumentList.Select(argument => argument is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : argument);
        var made = InvokeCommand.InvokeScript("param($type, $list) @{ made = $type::new.Invoke($list) }", type, arguments.ToArray());
        // In a table, because a collection by itself would be taken apart on its way out.
        return PSObject.AsPSObject(((Hashtable)made[0].BaseObject)["made"]!);
    }

    private PSInvalidOperationException Refused(string id, string message)
    {
        var error = new PSInvalidOperationException(message);
        ThrowTerminatingError(new ErrorRecord(error, id, ErrorCategory.PermissionDenied, null));
        return error;
    }
}

[Cmdlet(VerbsCommunications.Write, "Output")]
public sealed class WriteOutputCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromRemainingArguments = true)]
    [AllowNull, AllowEmptyCollection]
    public PSObject[]? InputObject { get; set; }

    [Parameter]
    public SwitchParameter NoEnumerate { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var item in InputObject ?? [null!])
        {
            WriteObject(item, !NoEnumerate);
        }
    }
}

[Cmdlet(VerbsCommunications.Write, "Host")]
public sealed class WriteHostCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromRemainingArguments = true)]
    public object? Object { get; set; }

    protected override void ProcessRecord() => ConsoleHost.WriteLine(LanguagePrimitives.ConvertTo<string>(Object));
}

[Cmdlet(VerbsCommunications.Write, "Error")]
public sealed class WriteErrorCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string Message { get; set; } = "";

    protected override void ProcessRecord()
    {
        var error = new ErrorRecord(new RuntimeException(Message), "Microsoft.PowerShell.Commands.WriteErrorException", ErrorCategory.NotSpecified, null);
        WriteError(error);
    }
}

[Cmdlet(VerbsCommunications.Write, "Warning")]
public sealed class WriteWarningCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string Message { get; set; } = "";

    protected override void ProcessRecord() => WriteWarning(Message);
}

[Cmdlet(VerbsLifecycle.Start, "Sleep", DefaultParameterSetName = "Seconds")]
public sealed class StartSleepCommand : PSCmdlet
{
    /// Whole seconds: 5.1 rounds what PowerShell 7 would take as a fraction.
    [Parameter(ParameterSetName = "Seconds", Mandatory = true, Position = 0)]
    public int Seconds { get; set; }

    [Parameter(ParameterSetName = "Milliseconds", Mandatory = true)]
    public int Milliseconds { get; set; }

    protected override void ProcessRecord() => Thread.Sleep(Seconds * 1000 + Milliseconds);
}
