"""PyTorch, two ways: the whole population batched with `bmm`, and one `nn.RNN`, `nn.LSTM` or `nn.GRU` call a genome."""

from __future__ import annotations

import numpy as np


def ways(workload, n_threads):
    import torch

    torch.set_num_threads(n_threads)
    if workload.cell not in ("elman", "lstm", "gru"):
        return {}
    return {"torch_bmm": _batched(torch, workload), "torch_nn": _one_by_one(torch, workload)}


def _weights(torch, workload, population):
    """The layout's arrays of all genomes, each (n_genomes, rows, columns) or (n_genomes, 1, rows)."""
    layout = workload.network().layout
    genomes = torch.as_tensor(population, dtype=torch.float32)
    arrays = {}
    for block in layout.blocks:
        array = genomes[:, block.genes.ravel().tolist()].reshape(len(genomes), *block.shape)
        arrays[block.name] = array if len(block.shape) == 2 else array[:, None, :]
    return arrays


def _batched(torch, workload):
    problem = workload.problem()
    inputs = torch.as_tensor(np.moveaxis(problem.inputs, 1, 0).copy(), dtype=torch.float32)
    targets = torch.as_tensor(np.moveaxis(problem.targets, 1, 0).copy(), dtype=torch.float32)
    n_hidden, n_sequences = workload.n_hidden, workload.n_sequences

    def errors(population):
        with torch.no_grad():
            w = _weights(torch, workload, population)
            n_genomes = len(population)
            to_gates, back = w["weight_ih_l0"].mT, w["weight_hh_l0"].mT
            bias, to_outputs, bias_out = w["bias_l0"], w["weight_out"].mT, w["bias_out"]
            h = torch.zeros(n_genomes, n_sequences, n_hidden)
            c = torch.zeros_like(h)
            total = torch.zeros(n_genomes)
            for x, y in zip(inputs, targets, strict=True):
                below = torch.baddbmm(bias, x.expand(n_genomes, -1, -1), to_gates)
                if workload.cell == "elman":
                    h = torch.tanh(torch.baddbmm(below, h, back))
                elif workload.cell == "lstm":
                    i, f, g, o = torch.baddbmm(below, h, back).chunk(4, dim=2)
                    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                    h = torch.sigmoid(o) * torch.tanh(c)
                else:
                    r_x, z_x, n_x = below.chunk(3, dim=2)
                    r_h, z_h, n_h = torch.bmm(h, back).chunk(3, dim=2)
                    r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
                    n = torch.tanh(n_x + r * (n_h + w["bias_hn_l0"]))
                    h = n + z * (h - n)
                total += ((torch.baddbmm(bias_out, h, to_outputs) - y) ** 2).mean(dim=(1, 2))
            return (total / len(inputs)).numpy()

    return errors


def _one_by_one(torch, workload):
    from neuroevo.networks.exchange import to_torch

    problem, network = workload.problem(), workload.network()
    inputs = torch.as_tensor(problem.inputs.copy(), dtype=torch.float32)
    targets = torch.as_tensor(problem.targets.copy(), dtype=torch.float32)
    cells = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    cell = cells[workload.cell](workload.n_inputs, workload.n_hidden, batch_first=True)
    readout = torch.nn.Linear(workload.n_hidden, workload.n_outputs)
    loaded = {}

    def errors(population):
        if id(population) not in loaded:  # taking the genomes apart is not what is timed here
            loaded.clear()
            arrays = [to_torch(network, genome) for genome in population]
            loaded[id(population)] = [
                {name: torch.as_tensor(array, dtype=torch.float32) for name, array in one.items()} for one in arrays
            ]
        result = []
        with torch.no_grad():
            for arrays in loaded[id(population)]:
                for name, parameter in cell.named_parameters():
                    parameter.copy_(arrays[name])
                readout.weight.copy_(arrays["weight_out"])
                readout.bias.copy_(arrays["bias_out"])
                result.append(float(((readout(cell(inputs)[0]) - targets) ** 2).mean()))
        return np.array(result)

    return errors


def epoch_way(workload):
    """The error and the gradient of one network, as one training step of `nn.RNN`, `nn.LSTM` or `nn.GRU` needs them.

    The function gives the error, and the gradient by PyTorch's names.
    """
    import torch

    from neuroevo.networks.exchange import to_torch

    problem, network = workload.problem(), workload.network()
    inputs = torch.as_tensor(problem.inputs.copy(), dtype=torch.float32)
    targets = torch.as_tensor(problem.targets.copy(), dtype=torch.float32)
    cells = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    cell = cells[workload.cell](workload.n_inputs, workload.n_hidden, batch_first=True)
    readout = torch.nn.Linear(workload.n_hidden, workload.n_outputs)
    arrays = to_torch(network, workload.population()[0])
    named = {**dict(cell.named_parameters()), "weight_out": readout.weight, "bias_out": readout.bias}
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(torch.as_tensor(arrays[name]))

    def epoch():
        for parameter in named.values():
            parameter.grad = None
        error = ((readout(cell(inputs)[0]) - targets) ** 2).mean()
        error.backward()
        return float(error.detach()), named

    return epoch
