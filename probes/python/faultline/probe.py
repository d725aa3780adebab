"""Watches a PyTorch training loop and writes its telemetry, one JSON object a line.

    import faultline

    with faultline.probe(model, loss_fn, optimizer=optimizer, path="telemetry.jsonl"):
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()

Nothing but the standard library is imported; PyTorch is taken from the program that uses it. The probe reads tensors and
never writes one. What fails inside of it is written as a record and goes no further, and all that it hooks is given back
at the end.
"""

import contextlib
import functools
import inspect
import json
import math
import os
import sys
import types

TELEMETRY_VERSION = 1

_ERRORS_MAX = 20
_CALLS_MAX = 4_000
_LOSSES_MAX = 16
_OPERATORS_MAX = 20_000
# Of a larger tensor only a part is cloned, hashed or summed over classes.
_WHOLE_ELEMENTS_MAX = 1_048_576
_SAMPLE_ELEMENTS = 65_536
_UPDATE_ELEMENTS = 1_024
_DATA_TENSORS_MAX = 8
_OUTPUT_TENSORS_MAX = 8
_SAFE_INTEGER_MAX = 2**53 - 1

# What a tensor that only looks at another is made by: the activation stands behind it.
_VIEWS = (
    "View",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Permute",
    "Slice",
    "Select",
    "ToCopy",
    "TBackward",
    "Alias",
)
_ACTIVATIONS = {"Softmax": "Softmax", "LogSoftmax": "LogSoftmax", "Sigmoid": "Sigmoid"}

_ATTRIBUTES = (
    "in_features out_features in_channels out_channels kernel_size stride padding dilation groups output_padding "
    "padding_mode ceil_mode num_features num_groups num_channels normalized_shape embedding_dim num_embeddings "
    "start_dim end_dim output_size dim"
).split()


def probe(model, loss_fn=None, **options):
    """Makes a probe to be used in a `with` statement; see `Probe` for its options."""
    return Probe(model, loss_fn, **options)


class Probe:
    """Watches one model, its losses and its optimizers between `with` and its end.

    model            the outermost module, the one that the loop calls
    loss_fn          the loss: a module, a function, or a list of these; a function that is called by a name of its own is
                     seen when it is called as `probe.loss(...)`
    optimizer        the optimizer or a list; without it every optimizer that holds parameters of the model
    path             the file that is written; of several ranks each writes one of its own (`telemetry.rank1.jsonl`)
    every            steps from one that is measured to the next; the order of calls is recorded at all of them
    parameters_max   parameters that are measured at such a step, evenly chosen
    scaler           the GradScaler, so that steps which it skips are told
    scheduler        the scheduler of the learning rate, so that its steps are told
    operators_path   also writes the modules of the first pass with the shapes that they got and gave
    run, role, seed, rank, world_size, parallelism, accumulation_steps, trains_in_eval_mode
                     fields of the header, where they are not what PyTorch tells
    """

    def __init__(
        self,
        model,
        loss_fn=None,
        *,
        optimizer=None,
        path="telemetry.jsonl",
        every=1,
        parameters_max=64,
        scaler=None,
        scheduler=None,
        operators_path=None,
        run=None,
        role=None,
        seed=None,
        rank=None,
        world_size=None,
        parallelism=None,
        accumulation_steps=None,
        trains_in_eval_mode=None,
    ):
        self._model = model
        self._losses = (
            list(loss_fn) if isinstance(loss_fn, (list, tuple)) else [loss_fn] if loss_fn is not None else []
        )
        self._optimizers = _as_list(optimizer)
        self._path = os.fspath(path)
        self._every = max(1, int(every))
        self._parameters_max = max(0, int(parameters_max))
        self._scaler = scaler
        self._schedulers = _as_list(scheduler)
        self._operators_path = operators_path
        self._declared = {
            "run": run,
            "role": role,
            "seed": seed,
            "rank": rank,
            "worldSize": world_size,
            "parallelism": parallelism,
            "accumulationSteps": accumulation_steps,
            "trainsInEvalMode": trains_in_eval_mode,
        }
        self._torch = None
        self._file = None
        self._undo = []
        self._record = None
        self._next_step = 0
        self._errors = 0
        self._phase = None
        self._backward = None
        self._before = {}
        self._operators = []

    # The life of a probe.

    def __enter__(self):
        with self._guarded("start"):
            self._torch = sys.modules.get("torch") or __import__("torch")
            header = self._header()
            self._path = _path_of_rank(self._path, header["rank"], header.get("worldSize", 1))
            self._file = open(self._path, "w", encoding="utf-8")
            self._write(header)
            for attach in (
                self._watch_model,
                self._watch_losses,
                self._watch_backward,
                self._watch_optimizers,
                self._watch_schedulers,
                self._watch_operators,
            ):
                with self._guarded(attach.__name__):
                    attach()
        return self

    def __exit__(self, *_exception):
        for undo in reversed(self._undo):
            with self._guarded("stop"):
                undo()
        self._undo.clear()
        with self._guarded("stop"):
            self._finish()
            self._write_operators()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._file = None
        self._before.clear()
        return False

    def __deepcopy__(self, _copies):
        """A model that is copied takes its hooks along: those of the copy see that it is not the one that is watched."""
        return self

    def __reduce__(self):
        """A model that is saved as a whole takes its hooks along: those watch nothing."""
        return Probe, (None,)

    def loss(self, *arguments, **named):
        """Calls the first loss and records it: for functions that the loop calls by a name of its own."""
        return self._call_loss(self._losses[0], arguments, named)

    @contextlib.contextmanager
    def phase(self, name):
        """Says what the passes inside are for: `train` or `eval`."""
        before, self._phase = self._phase, name
        try:
            yield self
        finally:
            self._phase = before

    @contextlib.contextmanager
    def _guarded(self, where):
        """What fails inside of the probe is written, and training goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - nothing of the probe may reach the loop
            self._errors += 1
            if self._errors <= _ERRORS_MAX:
                text = f"{type(error).__name__}: {error}"[:500]
                with contextlib.suppress(Exception):
                    if self._file is None:
                        print(f"faultline probe: {where}: {text}", file=sys.stderr)
                    else:
                        self._write({"probeError": text, "where": where})

    def _write(self, value):
        if self._file is not None:
            self._file.write(json.dumps(_plain(value), allow_nan=False, separators=(",", ":")) + "\n")
            self._file.flush()

    def _header(self):
        torch = self._torch
        distributed = getattr(torch, "distributed", None)
        is_joined = bool(distributed and distributed.is_available() and distributed.is_initialized())
        kind = type(self._model).__name__
        told = {
            "run": os.path.splitext(os.path.basename(self._path))[0],
            "framework": "torch",
            "frameworkVersion": str(torch.__version__)[:64],
            "seed": torch.initial_seed(),
            "rank": distributed.get_rank() if is_joined else _integer(os.environ.get("RANK"), 0),
            "worldSize": (
                distributed.get_world_size() if is_joined else _integer(os.environ.get("WORLD_SIZE"), 1)
            ),
            "parallelism": "data" if kind in ("DistributedDataParallel", "DataParallel") else None,
        }
        told.update({name: value for name, value in self._declared.items() if value is not None})
        if not isinstance(told["seed"], int) or abs(told["seed"]) > _SAFE_INTEGER_MAX:
            # A seed that nobody chose is drawn from all 64 bits.
            told["seed"] = None
        return {"faultline": "training", "version": TELEMETRY_VERSION, **_present(told)}

    # Steps: from one pass through the model to the next.

    def _now(self):
        if self._record is None:
            self._record = {"step": self._next_step, "calls": []}
            self._next_step += 1
        return self._record

    def _is_measured(self):
        return self._now()["step"] % self._every == 0

    def _note(self, call):
        calls = self._now()["calls"]
        if len(calls) < _CALLS_MAX:
            calls.append(call)

    def _finish(self):
        record, self._record = self._record, None
        if record is None or not record["calls"]:
            return
        tensor = record.pop("_loss", None)
        if tensor is not None:
            record["loss"] = _number(tensor)
        self._write(record)

    # The model.

    def _watch_model(self):
        model = self._model
        self._undo.append(
            model.register_forward_pre_hook(self._before_forward, **_with_arguments(model)).remove
        )
        self._undo.append(model.register_forward_hook(self._after_forward).remove)
        original = type(model).zero_grad

        @functools.wraps(original)
        def zero_grad(module, *arguments, **named):
            clear = functools.partial(original, module)
            return (self._zeroing(clear) if module is self._model else clear)(*arguments, **named)

        # As a method it is bound to the copy where the model is copied.
        self._replace(model, "zero_grad", types.MethodType(zero_grad, model))

    def _before_forward(self, module, arguments, named=None):
        if module is not self._model:
            return
        with self._guarded("forward"):
            if self._record is not None and "forward" in self._record["calls"]:
                self._finish()
            self._note("forward")
            record = self._record
            record["mode"] = "train" if module.training else "eval"
            if self._phase is not None:
                record["phase"] = self._phase
            elif not self._torch.is_grad_enabled() and not module.training:
                record["phase"] = "eval"
            if self._is_measured():
                shard = self._fingerprint((arguments, named or {}))
                if shard is not None:
                    record["shard"] = shard

    def _after_forward(self, module, _arguments, result):
        if module is not self._model:
            return
        with self._guarded("forward"):
            for tensor in _tensors_of(self._torch, result, _OUTPUT_TENSORS_MAX):
                if tensor.requires_grad:
                    tensor.register_hook(self._reached)

    def _fingerprint(self, data):
        sums = [self._checksum(tensor) for tensor in _tensors_of(self._torch, data, _DATA_TENSORS_MAX)]
        return "-".join(sums)[:128] if sums else None

    def _zeroing(self, original):
        @functools.wraps(original)
        def zero_grad(*arguments, **named):
            with self._guarded("zero_grad"):
                if self._record is not None and {"step", "skipped_step"} & set(self._record["calls"]):
                    self._finish()
                self._note("zero_grad")
            return original(*arguments, **named)

        return zero_grad

    # Losses.

    def _watch_losses(self):
        for loss in self._losses:
            if hasattr(loss, "register_forward_hook"):
                hook = functools.partial(self._after_loss, loss)
                try:
                    handle = loss.register_forward_hook(hook, with_kwargs=True)
                except TypeError:
                    handle = loss.register_forward_hook(
                        lambda module, args, out, hook=hook: hook(module, args, {}, out)
                    )
                self._undo.append(handle.remove)
                continue
            # A function of a module is replaced there for as long as the probe watches.
            home = sys.modules.get(getattr(loss, "__module__", None) or "")
            name = getattr(loss, "__name__", "")
            if home is not None and getattr(home, name, None) is loss:
                self._replace(
                    home,
                    name,
                    functools.wraps(loss)(
                        lambda *args, _loss=loss, **named: self._call_loss(_loss, args, named)
                    ),
                )

    def _call_loss(self, loss, arguments, named):
        result = loss(*arguments, **named)
        if not hasattr(loss, "register_forward_hook"):
            self._after_loss(loss, None, arguments, named, result)
        return result

    def _after_loss(self, loss, _module, arguments, named, result):
        if self._torch is None:
            return
        with self._guarded("loss"):
            self._note("loss")
            record = self._record
            if not self._is_measured() or len(record.setdefault("losses", [])) >= _LOSSES_MAX:
                return
            call = self._loss_call(loss, arguments, named, result)
            if call is not None:
                record["losses"].append(call)
                if "value" in call and "_loss" not in record:
                    record["loss"] = call["value"]

    def _loss_call(self, loss, arguments, named, result):
        torch = self._torch
        given = list(arguments)
        inputs = named.get("input", given[0] if given else None)
        target = named.get("target", given[1] if len(given) > 1 else None)
        if not torch.is_tensor(inputs) or not torch.is_tensor(target):
            return None

        def setting(name, default=None):
            return named.get(name, getattr(loss, name, default))

        kind = getattr(loss, "__name__", None) or type(loss).__name__
        ignored = setting("ignore_index")
        weight = setting("weight")
        call = {
            "loss": kind,
            "input": {**self._facts(inputs, None), **self._class_sums(inputs), "madeBy": _made_by(inputs)},
            "target": self._facts(target, ignored),
            "reduction": setting("reduction"),
            "ignoreIndex": (
                ignored if isinstance(ignored, int) and abs(ignored) <= _SAFE_INTEGER_MAX else None
            ),
            "ignoredCount": (
                int((target == ignored).sum())
                if isinstance(ignored, int) and not target.is_floating_point()
                else None
            ),
            "labelSmoothing": setting("label_smoothing"),
            "weightCount": weight.numel() if torch.is_tensor(weight) else None,
            "value": _number(result) if torch.is_tensor(result) and result.numel() == 1 else None,
        }
        call["input"] = _present(call["input"])
        return _present(call)

    def _facts(self, tensor, ignored):
        facts = {"shape": list(tensor.shape), "dtype": str(tensor.dtype).replace("torch.", "")}
        values = tensor.detach()
        if isinstance(ignored, int) and not values.is_floating_point():
            values = values[values != ignored]
        if values.numel() > 0 and not values.is_complex():
            values = values.to(self._torch.uint8) if values.dtype == self._torch.bool else values
            facts["min"], facts["max"] = _number(values.min()), _number(values.max())
        return facts

    def _class_sums(self, tensor):
        """The least and the largest of the sums over the second dimension, which are 1 for probabilities."""
        if tensor.dim() < 2 or tensor.numel() == 0 or not tensor.is_floating_point():
            return {}
        rows = max(1, _WHOLE_ELEMENTS_MAX // max(1, tensor[0].numel()))
        sums = tensor.detach()[:rows].float().sum(1)
        return {"classSumMin": _number(sums.min()), "classSumMax": _number(sums.max())}

    # The backward pass.

    def _watch_backward(self):
        autograd = self._torch.autograd
        original = autograd.backward

        @functools.wraps(original)
        def backward(tensors, *arguments, **named):
            outer, self._backward = self._backward, {"tensors": tensors, "is_noted": False}
            try:
                return original(tensors, *arguments, **named)
            finally:
                self._backward = outer

        self._replace(autograd, "backward", backward)

    def _reached(self, _gradient):
        """A backward pass has come to what the model gave; the gradients of its parameters are not made yet."""
        with self._guarded("backward"):
            backward = self._backward
            if backward is not None and not backward["is_noted"]:
                backward["is_noted"] = True
                self._before_backward(backward["tensors"])

    def _before_backward(self, tensors):
        record = self._now()
        is_first = "backward" not in record["calls"]
        self._note("backward")
        record.setdefault("phase", self._phase or "train")
        if is_first and not self._is_measured() and all(p.grad is None for p in self._model.parameters()):
            # That no gradient is left is seen without waiting for the device.
            record["gradientNormBefore"] = 0.0
        if not is_first or not self._is_measured():
            return
        record["gradientNormBefore"] = self._gradient_norm()
        tensor = tensors if self._torch.is_tensor(tensors) else next(iter(tensors), None)
        is_plain = self._scaler is None and self._declared["accumulationSteps"] is None
        if tensor is not None and tensor.numel() == 1 and (is_plain or "loss" not in record):
            scale = 1.0 if self._scaler is None else float(self._scaler.get_scale()) or 1.0
            # Its value is read when the step is over, so that nothing waits for it here.
            record["_loss"] = tensor.detach() / scale

    def _gradient_norm(self):
        gradients = [p.grad.detach() for p in self._model.parameters() if p.grad is not None]
        if not gradients:
            return 0.0
        norms = [_norm(gradient).to("cpu") for gradient in gradients]
        return _number(self._torch.stack(norms).norm())

    # Optimizers.

    def _watch_optimizers(self):
        for optimizer in self._optimizers:
            self._undo.append(optimizer.register_step_pre_hook(self._before_step).remove)
            self._undo.append(optimizer.register_step_post_hook(self._after_step).remove)
            self._replace(optimizer, "zero_grad", self._zeroing(optimizer.zero_grad))
        if not self._optimizers:
            module = sys.modules[self._torch.optim.Optimizer.__module__]
            self._undo.append(module.register_optimizer_step_pre_hook(self._before_any_step).remove)
            self._undo.append(module.register_optimizer_step_post_hook(self._after_any_step).remove)
            self._watch_every_zero_grad(self._torch.optim.Optimizer)
        if self._scaler is not None:
            self._watch_scaler()

    def _watch_every_zero_grad(self, kind):
        original = kind.zero_grad
        probe = self

        @functools.wraps(original)
        def zero_grad(optimizer, *arguments, **named):
            if probe._holds_parameters(optimizer):
                return probe._zeroing(functools.partial(original, optimizer))(*arguments, **named)
            return original(optimizer, *arguments, **named)

        self._replace(kind, "zero_grad", zero_grad)

    def _watch_scaler(self):
        original = self._scaler.step

        @functools.wraps(original)
        def step(*arguments, **named):
            with self._guarded("scaler"):
                self._now()["lossScale"] = float(self._scaler.get_scale())
            count = self._record["calls"].count("step") if self._record else 0
            result = original(*arguments, **named)
            with self._guarded("scaler"):
                if (self._record or {"calls": []})["calls"].count("step") == count:
                    self._note("skipped_step")
            return result

        self._replace(self._scaler, "step", step)

    def _holds_parameters(self, optimizer):
        own = {id(parameter) for parameter in self._model.parameters()}
        return any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"])

    def _before_any_step(self, optimizer, arguments, named):
        with self._guarded("step"):
            if self._holds_parameters(optimizer):
                self._before_step(optimizer, arguments, named)

    def _after_any_step(self, optimizer, arguments, named):
        with self._guarded("step"):
            if self._holds_parameters(optimizer):
                self._after_step(optimizer, arguments, named)

    def _before_step(self, optimizer, _arguments, _named):
        with self._guarded("step"):
            record = self._now()
            self._note("step")
            record["learningRates"] = record.get("learningRates", []) + [
                _number(group["lr"]) for group in optimizer.param_groups
            ]
            if not self._is_measured():
                return
            record["gradientNorm"] = self._gradient_norm()
            self._before.clear()
            rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
            known = {state["name"]: state for state in record.get("parameters", [])}
            for name, parameter in self._chosen():
                state = known.get(name)
                if state is None:
                    state = {
                        "name": name,
                        "requiresGradient": bool(parameter.requires_grad),
                        "isOptimized": False,
                    }
                    known[name] = state
                if id(parameter) in rates:
                    state["isOptimized"] = True
                    state["learningRate"] = _number(rates[id(parameter)])
                if parameter.grad is not None:
                    state["gradientNorm"] = _number(_norm(parameter.grad.detach()))
                if type(parameter.data).__name__ == "DTensor":
                    state["isReplicated"] = False
                else:
                    self._before[name] = self._kept(parameter)
            record["parameters"] = list(known.values())

    def _kept(self, parameter):
        """The values that the step should change: all of them, or those with the largest gradients."""
        values = parameter.detach().reshape(-1)
        if values.numel() <= _WHOLE_ELEMENTS_MAX:
            return None, values.clone()
        if parameter.grad is None or parameter.grad.is_sparse:
            return None, None
        places = parameter.grad.detach().reshape(-1).abs().topk(_UPDATE_ELEMENTS).indices
        return places, values[places].clone()

    def _after_step(self, _optimizer, _arguments, _named):
        with self._guarded("step"):
            if self._record is None or not self._is_measured():
                return
            parameters = dict(self._chosen())
            for state in self._record.get("parameters", []):
                parameter = parameters.get(state["name"])
                if parameter is None or state["name"] not in self._before:
                    continue
                places, before = self._before[state["name"]]
                values = parameter.detach().reshape(-1)
                state["norm"] = _number(_norm(values))
                state["checksum"] = self._checksum(values)
                if before is not None:
                    after = values if places is None else values[places]
                    state["updateNorm"] = max(
                        _number(_norm(after - before)), state.get("updateNorm", 0.0), key=_size
                    )
            self._before.clear()

    def _chosen(self):
        named = [(_bare(name), parameter) for name, parameter in self._model.named_parameters()]
        if len(named) <= self._parameters_max:
            return named
        if self._parameters_max == 0:
            return []
        step = (len(named) - 1) / max(1, self._parameters_max - 1)
        return [
            named[index] for index in sorted({round(place * step) for place in range(self._parameters_max)})
        ]

    def _checksum(self, tensor):
        """A sum over the bits of the values, each weighed by its place: equal on every device for equal values."""
        torch = self._torch
        values = tensor.detach().reshape(-1)
        if values.numel() > _WHOLE_ELEMENTS_MAX:
            values = values[:: values.numel() // _SAMPLE_ELEMENTS]
        if values.is_complex():
            values = torch.view_as_real(values).reshape(-1)
        if values.dtype == torch.bool:
            values = values.to(torch.uint8)
        whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[values.element_size()]
        bits = values.contiguous().view(whole).to(torch.int64)
        places = torch.arange(bits.numel(), device=bits.device, dtype=torch.int64) * 2_654_435_761 + 1
        return format((int((bits * places).sum()) ^ bits.numel()) & (2**64 - 1), "016x")

    # Schedulers and operators.

    def _watch_schedulers(self):
        for scheduler in self._schedulers:
            original = scheduler.step

            def step(*arguments, _original=original, **named):
                with self._guarded("scheduler"):
                    self._note("scheduler_step")
                return _original(*arguments, **named)

            self._replace(scheduler, "step", functools.wraps(original)(step))

    def _watch_operators(self):
        if self._operators_path is None:
            return
        for name, module in self._model.named_modules():
            if next(module.children(), None) is None:
                before = functools.partial(self._before_operator, _bare(name))
                self._undo.append(module.register_forward_pre_hook(before).remove)
                self._undo.append(module.register_forward_hook(self._after_operator).remove)

    def _before_operator(self, name, module, arguments):
        with self._guarded("operators"):
            is_first_pass = self._record is not None and self._record["step"] == 0
            if not is_first_pass or len(self._operators) >= _OPERATORS_MAX:
                return
            attributes = {field: _attribute(getattr(module, field, None)) for field in _ATTRIBUTES}
            if self._torch.is_autocast_enabled():
                attributes["autocast"] = True
            entry = {
                "op": f"nn.{type(module).__name__}",
                "name": name,
                "inputs": [_shape(tensor) for tensor in _tensors_of(self._torch, arguments, 64)],
                "outputs": [],
                "attributes": _present(attributes),
            }
            self._operators.append(entry)
            module.__dict__["_faultline_operator"] = entry

    def _after_operator(self, module, _arguments, result):
        with self._guarded("operators"):
            entry = module.__dict__.pop("_faultline_operator", None)
            if entry is not None:
                entry["outputs"] = [_shape(tensor) for tensor in _tensors_of(self._torch, result, 64)]

    def _write_operators(self):
        if self._operators_path is None or not self._operators:
            return
        for module in self._model.modules():
            module.__dict__.pop("_faultline_operator", None)
        value = {"name": type(self._model).__name__, "framework": "torch", "operators": self._operators}
        with open(self._operators_path, "w", encoding="utf-8") as file:
            json.dump(_plain(value), file, allow_nan=False)

    def _replace(self, owner, name, value):
        """Puts a value in the place of an attribute, and gives the attribute back at the end."""
        own = vars(owner).get(name, _ABSENT)
        setattr(owner, name, value)

        def undo():
            if own is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, own)

        self._undo.append(undo)


_ABSENT = object()


def _as_list(value):
    values = list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]
    # Wrappers of other libraries hold the optimizer that steps.
    return [getattr(one, "optimizer", one) if not hasattr(one, "get_last_lr") else one for one in values]


def _with_arguments(module):
    named = inspect.signature(module.register_forward_pre_hook).parameters
    return {"with_kwargs": True} if "with_kwargs" in named else {}


def _integer(text, default):
    try:
        return int(text)
    except (TypeError, ValueError):
        return default


def _path_of_rank(path, rank, world_size):
    if "{rank}" in path:
        return path.replace("{rank}", str(rank))
    if not world_size or world_size < 2:
        return path
    stem, ending = os.path.splitext(path)
    return f"{stem}.rank{rank}{ending}"


def _bare(name):
    """The name of a parameter without what wrappers put before it."""
    return ".".join(
        part for part in name.split(".") if part not in ("module", "_orig_mod", "_fsdp_wrapped_module")
    )


def _tensors_of(torch, value, count_max):
    found = []

    def walk(item, depth):
        if len(found) >= count_max or depth > 6:
            return
        if torch.is_tensor(item):
            if item.layout == torch.strided and item.numel() > 0:
                found.append(item)
        elif isinstance(item, dict):
            for part in item.values():
                walk(part, depth + 1)
        elif isinstance(item, (list, tuple)):
            for part in item:
                walk(part, depth + 1)

    walk(value, 0)
    return found


def _made_by(tensor):
    """The activation whose output a tensor is, as the graph tells; nothing for any other."""
    node = tensor.grad_fn
    for _ in range(5):
        if node is None:
            return None
        name = type(node).__name__
        kind = name.split("Backward")[0]
        if kind in _ACTIVATIONS:
            return _ACTIVATIONS[kind]
        if not any(part in name for part in _VIEWS) or not node.next_functions:
            return None
        node = node.next_functions[0][0]
    return None


def _norm(tensor):
    values = tensor.coalesce().values() if tensor.is_sparse else tensor
    if values.is_complex():
        return values.abs().float().norm()
    # Half precision overflows in its own squares.
    return (values if values.is_floating_point() and values.element_size() > 2 else values.float()).norm()


def _number(value):
    return (
        value
        if isinstance(value, (int, float))
        else float(value.detach() if hasattr(value, "detach") else value)
    )


def _size(value):
    return math.inf if isinstance(value, float) and math.isnan(value) else value


def _shape(tensor):
    return {"shape": list(tensor.shape), "dtype": str(tensor.dtype).replace("torch.", "")}


def _attribute(value):
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(item, (bool, int, float, str)) for item in value):
        return list(value)
    return None


def _present(fields):
    return {name: value for name, value in fields.items() if value is not None}


def _plain(value):
    """The value with words for the numbers that JSON has none for."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
