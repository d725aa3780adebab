"""What the probe writes, and that it leaves training as it is. Without PyTorch most of it is skipped, and says so."""

import copy
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import faultline
from faultline import probe as probe_function
from faultline.probe import _bare, _path_of_rank, _plain

try:
    import torch
    from torch import nn
except ImportError:
    torch = None

needs_torch = unittest.skipUnless(torch, "PyTorch is not installed: the probe is not tested against it here")


class WithoutTorch(unittest.TestCase):
    def test_numbers_that_json_has_no_word_for_get_one(self):
        value = {"a": [float("nan"), float("inf")], "b": (-float("inf"), 1.5)}
        self.assertEqual(_plain(value), {"a": ["NaN", "Infinity"], "b": ["-Infinity", 1.5]})

    def test_each_rank_writes_a_file_of_its_own(self):
        self.assertEqual(_path_of_rank("a/t.jsonl", 1, 4), "a/t.rank1.jsonl")
        self.assertEqual(_path_of_rank("t.jsonl", 0, 1), "t.jsonl")
        self.assertEqual(_path_of_rank("t-{rank}.jsonl", 3, 4), "t-3.jsonl")

    def test_names_of_parameters_are_those_of_the_model_within_its_wrappers(self):
        self.assertEqual(_bare("module._orig_mod.fc.weight"), "fc.weight")

    def test_the_probe_is_reached_by_both_names(self):
        self.assertIs(faultline.probe, probe_function)

    def test_where_nothing_works_the_loop_goes_on(self):
        done = []
        with mock.patch.dict(sys.modules, {"torch": mock.NonCallableMock(spec=[])}), mock.patch("sys.stderr"):
            with faultline.probe(object(), path="/nowhere/t.jsonl"):
                done.append(1)
        self.assertEqual(done, [1])


@needs_torch
class WithTorch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "t.jsonl")
        torch.manual_seed(5)
        self.model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def step(self, loss=None):
        self.optimizer.zero_grad()
        value = (loss or self.loss)(self.model(torch.randn(6, 4)), torch.tensor([0, 1, 2, 0, 1, 2]))
        value.backward()
        self.optimizer.step()
        return float(value.detach())

    def records(self):
        with open(self.path, encoding="utf-8") as file:
            header, *steps = [json.loads(line) for line in file]
        self.assertEqual((header["faultline"], header["version"]), ("training", 1))
        return header, steps

    def test_a_step_is_told_with_its_calls_loss_and_parameters(self):
        with faultline.probe(self.model, self.loss, optimizer=self.optimizer, path=self.path):
            values = [self.step(), self.step()]
        header, steps = self.records()
        self.assertEqual(header["seed"], 5)
        self.assertEqual(
            [step["calls"] for step in steps], [["zero_grad", "forward", "loss", "backward", "step"]] * 2
        )
        self.assertEqual([step["loss"] for step in steps], values)
        self.assertEqual([(step["mode"], step["phase"]) for step in steps], [("train", "train")] * 2)
        state = steps[1]["parameters"][0]
        self.assertEqual(
            (state["name"], state["isOptimized"], state["learningRate"]), ("0.weight", True, 0.1)
        )
        self.assertAlmostEqual(state["updateNorm"], 0.1 * state["gradientNorm"], places=5)
        self.assertEqual(steps[1]["gradientNormBefore"], 0.0)
        self.assertEqual(
            steps[0]["losses"][0]["target"], {"shape": [6], "dtype": "int64", "min": 0.0, "max": 2.0}
        )
        self.assertNotEqual(steps[0]["shard"], steps[1]["shard"])

    def test_training_goes_as_it_does_without_a_probe(self):
        plain = [self.step() for _ in range(5)]
        self.setUp()
        with faultline.probe(self.model, self.loss, path=self.path):
            watched = [self.step() for _ in range(5)]
        self.assertEqual(plain, watched)

    def test_all_that_was_hooked_is_given_back(self):
        before = torch.autograd.backward, torch.optim.Optimizer.zero_grad, nn.functional.cross_entropy
        with faultline.probe(self.model, nn.functional.cross_entropy, path=self.path):
            self.step(lambda *given: nn.functional.cross_entropy(*given))
        with faultline.probe(self.model, self.loss, optimizer=self.optimizer, path=self.path):
            self.step()
        self.assertEqual(
            before, (torch.autograd.backward, torch.optim.Optimizer.zero_grad, nn.functional.cross_entropy)
        )
        self.assertFalse(
            self.model._forward_hooks or self.model._forward_pre_hooks or self.loss._forward_hooks
        )
        self.assertFalse(self.optimizer._optimizer_step_pre_hooks or "zero_grad" in vars(self.optimizer))

    def test_a_model_is_copied_and_saved_as_without_a_probe(self):
        operators = os.path.join(os.path.dirname(self.path), "operators.json")
        watching = {"optimizer": self.optimizer, "path": self.path, "operators_path": operators}
        with faultline.probe(self.model, self.loss, **watching):
            copied = copy.deepcopy(self.model)
            file = io.BytesIO()
            torch.save((self.model, self.loss), file)
            file.seek(0)
            loaded, loss = torch.load(file, weights_only=False)
            self.step()
            for model in (copied, loaded):
                loss(model(torch.randn(6, 4)), torch.tensor([0, 1, 2, 0, 1, 2])).backward()
                model.zero_grad()
                self.assertTrue(all(one.grad is None for one in model.parameters()))
            self.assertTrue(all(one.grad is not None for one in self.model.parameters()))
        _, steps = self.records()
        self.assertEqual([step["calls"] for step in steps], [["zero_grad", "forward", "loss", "backward", "step"]])

    def test_what_fails_within_is_written_and_training_goes_on(self):
        with faultline.probe(self.model, self.loss, optimizer=self.optimizer, path=self.path) as watch:
            with mock.patch.object(watch, "_checksum", side_effect=RuntimeError("no memory")):
                self.step()
        _, steps = self.records()
        self.assertTrue(any("no memory" in record.get("probeError", "") for record in steps))
        self.assertIn("step", steps[-1]["calls"])

    def test_a_file_that_cannot_be_written_stops_nothing(self):
        with mock.patch("sys.stderr"):
            with faultline.probe(self.model, self.loss, path="/nowhere/at/all.jsonl"):
                self.assertGreater(self.step(), 0)

    def test_errors_of_the_loop_are_the_loops(self):
        operators = os.path.join(os.path.dirname(self.path), "operators.json")
        with self.assertRaises(RuntimeError):
            with faultline.probe(self.model, self.loss, path=self.path, operators_path=operators):
                self.model(torch.randn(6, 5))
        with open(operators, encoding="utf-8") as file:
            (only,) = json.load(file)["operators"]
        self.assertEqual((only["op"], only["inputs"][0]["shape"], only["outputs"]), ("nn.Linear", [6, 5], []))

    def test_a_loss_that_is_a_function_is_seen(self):
        with faultline.probe(self.model, nn.functional.cross_entropy, path=self.path) as watch:
            self.step(lambda *given: nn.functional.cross_entropy(*given, label_smoothing=0.1))
            self.step(watch.loss)
        _, steps = self.records()
        self.assertEqual([call["loss"] for step in steps for call in step["losses"]], ["cross_entropy"] * 2)
        self.assertEqual(steps[0]["losses"][0]["labelSmoothing"], 0.1)

    def test_the_activation_before_a_loss_is_named(self):
        self.model.append(nn.Softmax(dim=1))
        with faultline.probe(self.model, self.loss, path=self.path):
            self.step()
        given = self.records()[1][0]["losses"][0]["input"]
        self.assertEqual(given["madeBy"], "Softmax")
        self.assertAlmostEqual(given["classSumMin"], 1, places=5)

    def test_optimizers_of_other_models_are_left_alone(self):
        other = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=1.0)
        with faultline.probe(self.model, self.loss, path=self.path):
            self.step()
            other.zero_grad()
            other.step()
        self.assertEqual(self.records()[1][-1]["calls"], ["zero_grad", "forward", "loss", "backward", "step"])

    def test_backward_passes_of_other_models_are_left_alone(self):
        with faultline.probe(self.model, self.loss, path=self.path):
            self.step()
            nn.Linear(2, 2)(torch.ones(1, 2)).sum().backward()
        self.assertEqual(self.records()[1][0]["calls"].count("backward"), 1)

    def test_schedulers_that_are_made_inside_work_and_are_told(self):
        scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 1)
        with faultline.probe(
            self.model, self.loss, optimizer=self.optimizer, scheduler=scheduler, path=self.path
        ):
            torch.optim.lr_scheduler.ConstantLR(self.optimizer)
            self.step()
            scheduler.step()
        self.assertEqual(self.records()[1][0]["calls"][-1], "scheduler_step")

    def test_steps_that_mixed_precision_skips_are_told(self):
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        with faultline.probe(self.model, self.loss, optimizer=self.optimizer, scaler=scaler, path=self.path):
            for factor in (1.0, float("inf")):
                self.optimizer.zero_grad()
                loss = self.loss(self.model(torch.randn(2, 4)), torch.tensor([0, 1])) * factor
                scaler.scale(loss).backward()
                scaler.step(self.optimizer)
                scaler.update()
        first, second = self.records()[1]
        self.assertEqual((first["calls"][-1], second["calls"][-1]), ("step", "skipped_step"))
        self.assertEqual(first["lossScale"], 1024.0)
        self.assertLess(first["loss"], 10)

    def test_between_measured_steps_only_the_order_is_told(self):
        with faultline.probe(self.model, self.loss, path=self.path, every=3):
            for _ in range(4):
                self.step()
        self.assertEqual(
            [("parameters" in step, "loss" in step) for step in self.records()[1]],
            [(True, True), (False, False), (False, False), (True, True)],
        )

    def test_passes_that_evaluate_are_told(self):
        with faultline.probe(self.model, self.loss, path=self.path) as watch:
            self.model.eval()
            with torch.no_grad():
                self.model(torch.randn(2, 4))
            self.model.train()
            with watch.phase("eval"), torch.no_grad():
                self.model(torch.randn(2, 4))
        self.assertEqual(
            [(step["phase"], step["mode"]) for step in self.records()[1]],
            [("eval", "eval"), ("eval", "train")],
        )

    def test_large_frozen_sparse_and_half_parameters_are_measured(self):
        model = nn.Sequential(nn.Embedding(60_000, 32), nn.Flatten(), nn.Linear(64, 3))
        model.append(nn.Linear(3, 3).requires_grad_(False))
        model = model.to(torch.bfloat16)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with faultline.probe(model, self.loss, optimizer=optimizer, path=self.path):
            optimizer.zero_grad()
            self.loss(model(torch.tensor([[1, 2], [3, 4]])).float(), torch.tensor([0, 2])).backward()
            optimizer.step()
        header, steps = self.records()
        self.assertFalse(any("probeError" in step for step in steps))
        table, *_, frozen = steps[0]["parameters"]
        self.assertGreater(table["updateNorm"], 0)
        self.assertEqual(
            (frozen["requiresGradient"], "gradientNorm" in frozen, frozen["updateNorm"]), (False, False, 0.0)
        )

    def test_an_optimizer_with_sparse_gradients_is_measured(self):
        model = nn.Sequential(nn.Embedding(50_000, 32, sparse=True), nn.Flatten(), nn.Linear(64, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with faultline.probe(model, self.loss, optimizer=optimizer, path=self.path):
            self.loss(model(torch.tensor([[1, 2], [3, 4]])), torch.tensor([0, 2])).backward()
            optimizer.step()
        _, steps = self.records()
        self.assertFalse(any("probeError" in step for step in steps), steps)
        self.assertGreater(steps[0]["parameters"][0]["gradientNorm"], 0)


if __name__ == "__main__":
    unittest.main()
