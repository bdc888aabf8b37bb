using System.Text;
using System.Text.Json;

namespace Fettle.Engine;

/// <summary>
/// A process that has started already and waits for its command: one line of JSON {args, environment} on stdin, after
/// which stdin belongs to the script.
/// </summary>
internal static class WarmStart
{
    private sealed record Order(string[] Args, Dictionary<string, string> Environment);

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public static int Run()
    {
        PowerShellProcess.WarmUp();
        var line = ReadLine(Console.OpenStandardInput());
        if (line.Length == 0)
        {
            return 0;
        }
        var order = JsonSerializer.Deserialize<Order>(line, Options) ?? throw new InvalidDataException("no order");
        foreach (var (name, value) in order.Environment)
        {
            System.Environment.SetEnvironmentVariable(name, value);
        }
        return PowerShellProcess.Run(order.Args);
    }

    /// Byte by byte: what follows the line is not ours to buffer.
    private static string ReadLine(Stream input)
    {
        var bytes = new List<byte>();
        while (input.ReadByte() is var next and >= 0 && next != '\n')
        {
            bytes.Add((byte)next);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
