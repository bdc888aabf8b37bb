namespace Fettle.Engine.Doubles;

/// <summary>Who runs this process: SYSTEM in a task, else the account of the network logon.</summary>
internal static class Account
{
    public const string SystemSid = "S-1-5-18";
    public const string AdministratorsSid = "S-1-5-32-544";

    private static System.Text.Json.Nodes.JsonObject Logon => Model.Read().Object("account");

    public static bool IsAdministrator => Model.IsSystem || Logon.Flag("isAdministrator");
    public static string Name => Model.IsSystem ? @"NT AUTHORITY\SYSTEM" : Logon.Text("name");
    public static string Sid => Model.IsSystem ? SystemSid : Logon.Text("sid");
}

/// <summary>System.Security.Principal.WindowsIdentity.</summary>
public sealed class WindowsIdentityDouble : IDisposable
{
    public string Name { get; } = Account.Name;
    public SecurityIdentifierDouble User { get; } = new(Account.Sid);
    public bool IsSystem { get; } = Account.Sid == Account.SystemSid;
    public bool IsAuthenticated => true;
    public string AuthenticationType => Model.IsSystem ? "" : "NTLM";

    public SecurityIdentifierDouble[] Groups =>
        Account.IsAdministrator ? [new(Account.AdministratorsSid), new("S-1-5-2")] : [new("S-1-5-32-545"), new("S-1-5-2")];

    public static WindowsIdentityDouble GetCurrent() => new();

    public void Dispose() { }
}

/// <summary>System.Security.Principal.WindowsPrincipal.</summary>
public sealed class WindowsPrincipalDouble(WindowsIdentityDouble ntIdentity)
{
    public WindowsIdentityDouble Identity => ntIdentity;

    public bool IsInRole(System.Security.Principal.WindowsBuiltInRole role) =>
        Identity.Groups.Any(group => group.Value == $"S-1-5-32-{(int)role}");

    public bool IsInRole(SecurityIdentifierDouble sid) => Identity.Groups.Any(group => group.Value == sid.Value);
}

/// <summary>System.Security.Principal.SecurityIdentifier.</summary>
public sealed class SecurityIdentifierDouble
{
    public SecurityIdentifierDouble(string sddlForm)
    {
        if (!sddlForm.StartsWith("S-1-", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException("Value was invalid.", nameof(sddlForm));
        }
        Value = sddlForm.ToUpperInvariant();
    }

    public string Value { get; }

    public override string ToString() => Value;
    public override bool Equals(object? other) => other is SecurityIdentifierDouble sid && sid.Value == Value;
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);
}
