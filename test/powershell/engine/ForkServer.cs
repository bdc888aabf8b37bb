using System.Text;
using System.Text.Json;

namespace Fettle.Engine;

/// <summary>What a copy of the fork server does: the arguments and the environment of a process.</summary>
/// <param name="Id">Names the streams of a command; 0 for a task, which has none.</param>
internal sealed record Order(long Id, string[] Args, Dictionary<string, string> Environment, string Directory = "");

/// <summary>
/// A process that has everything loaded and forks itself for each command, which saves the second that .NET and
/// PowerShell need to start. Each command is a process of its own all the same, and dies with the server.
///
/// Lines on stdin: an order as JSON, `kill ID`, or `settle`. Lines on stdout: `ended ID PID CODE` (no code: a signal
/// ended it), and `settled` when all tasks that were asked for have started. The streams of a command are connections
/// that the server makes to a socket, each with 16 bytes ahead: the id, and the number of the descriptor.
/// </summary>
internal sealed class ForkServer
{
    private const int HeaderLength = 16;
    private const int PipeBuffer = 4096;
    private const string Mark = "FETTLE_WINDOWS_MODEL";

    private sealed record Child(long Id, int Pid, int Descriptor);

    private readonly string _socket;
    private readonly List<Child> _children = [];
    private readonly byte[] _buffer = new byte[65536];
    private readonly LineReader _orders = new();
    private readonly LineReader _requests = new();
    private readonly int _requestEnd;

    /// <summary>Where a copy asks for tasks; null in a process that no server forked.</summary>
    private static int? s_requests;
    private static Dictionary<string, string> s_environment = [];

    private ForkServer(string socket)
    {
        _socket = socket;
        (_requestEnd, s_requests) = Libc.Pipe(Libc.CloseOnExec | Libc.NonBlocking);
    }

    /// <summary>Serves until stdin ends. Comes back in a copy too, with its order.</summary>
    public static Order? Serve(string socket)
    {
        WarmUp.Run();
        ForkedRuntime.Prepare();
        return new ForkServer(socket).Serve();
    }

    /// <summary>Asks the server for a process that outlives this one. False where no server forked this one.</summary>
    public static bool TryStartDetached(string[] args, string directory)
    {
        if (s_requests is not { } requests)
        {
            return false;
        }
        var line = $"{JsonSerializer.Serialize(new Order(0, args, s_environment, directory))}\n";
        if (Encoding.UTF8.GetByteCount(line) > PipeBuffer)
        {
            throw new InvalidOperationException("the order is longer than a pipe takes at once");
        }
        Libc.Write(requests, line);
        return true;
    }

    private Order? Serve()
    {
        while (true)
        {
            var entries = new[] { 0, _requestEnd }.Concat(_children.Select(child => child.Descriptor))
                .Select(descriptor => new Libc.PollEntry { Descriptor = descriptor, Events = Libc.PollIn })
                .ToArray();
            Libc.Poll(entries);
            var ended = _children.Where((_, index) => entries[index + 2].Answers != 0).ToArray();
            if (StartRequested() is { } task)
            {
                return task;
            }
            foreach (var child in ended)
            {
                if (End(child) is { } requested)
                {
                    return requested;
                }
            }
            if (entries[0].Answers == 0)
            {
                continue;
            }
            var count = Libc.Read(0, _buffer);
            if (count <= 0)
            {
                _children.ForEach(child => Libc.KillGroup(child.Pid));
                return null;
            }
            foreach (var line in _orders.Add(_buffer.AsSpan(0, count)))
            {
                if (Obey(line) is { } order)
                {
                    return order;
                }
            }
        }
    }

    private Order? Obey(string line)
    {
        if (line == "settle")
        {
            var requested = StartRequested();
            if (requested is null)
            {
                Libc.Write(1, "settled\n");
            }
            return requested;
        }
        if (line.StartsWith("kill ", StringComparison.Ordinal))
        {
            var id = long.Parse(line["kill ".Length..], System.Globalization.CultureInfo.InvariantCulture);
            _children.Where(child => child.Id == id).ToList().ForEach(child => Libc.KillGroup(child.Pid));
            return null;
        }
        return Start(line);
    }

    /// Its last request counts as made before its end.
    private Order? End(Child child)
    {
        var code = Libc.Reap(child.Pid);
        Libc.Close(child.Descriptor);
        _children.Remove(child);
        if (StartRequested() is { } task)
        {
            return task;
        }
        if (child.Id > 0)
        {
            Libc.Write(1, $"ended {child.Id} {child.Pid} {code}\n");
        }
        return null;
    }

    private Order? StartRequested()
    {
        int count;
        while ((count = Libc.Read(_requestEnd, _buffer)) > 0)
        {
            foreach (var line in _requests.Add(_buffer.AsSpan(0, count)))
            {
                if (Start(line) is { } order)
                {
                    return order;
                }
            }
        }
        return null;
    }

    /// The order in the copy, null in the server.
    private Order? Start(string line)
    {
        var order = JsonSerializer.Deserialize<Order>(line, JsonSerializerOptions.Web) ?? throw new InvalidDataException("no order");
        int[] streams = order.Id > 0 ? [Connect(order.Id, 0), Connect(order.Id, 1), Connect(order.Id, 2)] : [Libc.OpenNull()];
        var ready = Libc.Pipe(Libc.CloseOnExec);
        ForkedRuntime.Settle();
        var pid = Libc.Fork();
        if (pid == 0)
        {
            Become(order, streams);
            Libc.Write(ready.Write, "\n");
            Libc.Close(ready.Write);
            Libc.Close(ready.Read);
            return order;
        }
        Libc.Close(ready.Write);
        // From here on it leads its group and can be told by its environment.
        _ = Libc.Read(ready.Read, _buffer);
        Libc.Close(ready.Read);
        foreach (var stream in streams)
        {
            Libc.Close(stream);
        }
        _children.Add(new Child(order.Id, pid, Libc.OpenPid(pid)));
        return null;
    }

    private int Connect(long id, int descriptor)
    {
        var stream = Libc.Connect(_socket);
        Libc.Write(stream, $"{id} {descriptor}".PadRight(HeaderLength));
        return stream;
    }

    private void Become(Order order, int[] streams)
    {
        Libc.LeadGroup();
        Libc.MarkEnvironment(Mark, order.Environment.GetValueOrDefault(Mark, ""));
        for (var descriptor = 0; descriptor <= 2; descriptor++)
        {
            Libc.Duplicate(streams[descriptor % streams.Length], descriptor);
        }
        foreach (var descriptor in streams.Concat(_children.Select(child => child.Descriptor)).Append(_requestEnd))
        {
            Libc.Close(descriptor);
        }
        ForkedRuntime.Begin();
        s_environment = order.Environment;
        foreach (var (name, value) in order.Environment)
        {
            Environment.SetEnvironmentVariable(name, value);
        }
        if (order.Directory.Length > 0)
        {
            Directory.SetCurrentDirectory(order.Directory);
        }
    }

    /// <summary>Bytes into whole lines.</summary>
    private sealed class LineReader
    {
        private readonly List<byte> _rest = [];

        public IReadOnlyList<string> Add(ReadOnlySpan<byte> bytes)
        {
            _rest.AddRange(bytes);
            var lines = new List<string>();
            for (var end = _rest.IndexOf((byte)'\n'); end >= 0; end = _rest.IndexOf((byte)'\n'))
            {
                lines.Add(Encoding.UTF8.GetString([.. _rest[..end]]));
                _rest.RemoveRange(0, end + 1);
            }
            return lines;
        }
    }
}
